"""Where a clip is cut: between two frames that show different things."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from .frame import Frame

SIDE = (48, 27)  # of the small pictures that are compared
CHANGE = 0.08  # mean difference of those, of full range, under which there is no cut
KEPT = 0.6  # share of colours that two frames of one scene have in common, at the least
BINS = 6  # of a channel


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
    """Whether two small pictures show different scenes: pixels differ, and so do the colours as a whole, lightness
    apart (a flash, a lamp that goes on, is no cut)."""
    if np.abs(before - after).mean() < CHANGE:
        return False
    first, second = (_histogram(x / max(float(x.mean()), 1e-3) / 2) for x in (before, after))
    return float(np.minimum(first, second).sum()) < KEPT


def _histogram(picture: np.ndarray) -> np.ndarray:
    found, _ = np.histogramdd(picture.reshape(-1, 3).clip(0, 1), bins=BINS, range=[(0, 1)] * 3)
    smooth = found
    for axis in range(3):  # a colour near a bin's edge falls on either side
        smooth = (np.roll(smooth, 1, axis) + 2 * smooth + np.roll(smooth, -1, axis)) / 4
    return smooth / smooth.sum()
