"""Where a clip is cut: between two frames that show different things."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from .frame import Frame

SIDE = (48, 27)  # of the small pictures that are compared
CHANGE = 0.03  # mean difference of those, of full range, under which there is no cut
# correlation under which there is one: on 12 sequences of DAVIS 2016 frames up to three apart have .55 at the least,
# the ends of different sequences .47 at the most
ALIKE = 0.5
FLAT = 0.02  # standard deviation under which a picture shows nothing


class Scenes:
    """The scenes of a clip, each an iterator of its frames; one is to be used up before the next is asked for."""

    def __init__(self, frames: Iterable[Frame]):
        self._frames = iter(frames)
        self._ahead = next(self._frames, None)

    def __iter__(self) -> Iterator[Iterator[Frame]]:
        while self._ahead is not None:
            yield self._scene()

    def _scene(self) -> Iterator[Frame]:
        before = None
        while self._ahead is not None:
            small = thumbnail(self._ahead.rgb)
            if before is not None and is_cut(before, small):
                return
            frame, before, self._ahead = self._ahead, small, None
            yield frame
            self._ahead = next(self._frames, None)


def thumbnail(rgb: np.ndarray) -> np.ndarray:
    """[27,48,3] float32, 0..1."""
    return cv2.resize(rgb, SIDE, interpolation=cv2.INTER_AREA).astype(np.float32) / np.iinfo(rgb.dtype).max


def is_cut(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether two small pictures show different scenes: they differ, and what is light and dark in one is not so in
    the other (correlation, each channel less its mean: a flash, a lamp that goes on, is no cut)."""
    if np.abs(before - after).mean() < CHANGE:
        return False
    return float((_levelled(before) * _levelled(after)).mean()) < ALIKE


def _levelled(picture: np.ndarray) -> np.ndarray:
    level = picture - picture.mean((0, 1))
    return level / max(float(level.std()), FLAT)
