"""Animated pictures and sequences: GIF, WebP, APNG read and written; a folder of PNG files written."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np

from ..core.errors import ImageError
from ..pictures import Style, encode, encode_frames, frames_of, read, write
from ..pictures.limits import MOST_MEGAPIXELS
from .colour import Colours
from .frame import About, Frame

MS = Fraction(1, 1000)


class Animation:
    """An animated picture being read, as decode.Clip is."""

    def __init__(self, path: Path, megapixels: float = MOST_MEGAPIXELS):
        """Raises ImageError."""
        self._path, self._most, self.note = path, megapixels, ""
        first = read(path, megapixels=megapixels)
        if first.frames < 2:
            raise ImageError(f"{path}: is a single picture; a clip has several")
        height, width = first.rgb.shape[:2]
        self._durations = [d or 100 for d in first.durations]  # browsers show 0 as a tenth of a second
        rate = Fraction(1000 * len(self._durations), sum(self._durations))
        self.about = About(width, height, rate, MS, Colours(), first.frames, plays=first.plays)

    def frames(self) -> Iterator[Frame]:
        """Every frame. Raises ImageError."""
        time = Fraction(0)
        for picture, shown in zip(frames_of(self._path, megapixels=self._most), self._durations):
            yield Frame(picture.rgb, time, shown * MS, picture.alpha)
            time += shown * MS


def durations(times: Sequence[Fraction], last: Fraction, unit: int = 1) -> list[int]:
    """Whole milliseconds, multiples of `unit`, in which frames are shown: the ends are rounded, so that no error adds
    up. times: when each begins; last: how long the last one lasts."""
    ends = [*(t - times[0] for t in times[1:]), times[-1] - times[0] + last]
    marks = [0, *(round(t * 1000 / unit) * unit for t in ends)]
    return [max(b - a, unit) for a, b in itertools.pairwise(marks)]


class Album:
    """An animated picture being written: its frames are held until the end, up to `megapixels` in all."""

    def __init__(self, about: About, style: Style, megapixels: float, target: Path):
        self._about, self._style, self._most, self._target = about, style, megapixels, target
        self._made: list[np.ndarray] = []
        self._times: list[Fraction] = []
        self._last, self.note = Fraction(0), ""

    def add(self, pixels: np.ndarray, frame: Frame) -> None:
        """Raises ImageError beyond the limit."""
        if (len(self._made) + 1) * pixels.shape[0] * pixels.shape[1] > self._most * 1e6:
            raise ImageError(
                f"{self._target}: more than {len(self._made)} frames of {pixels.shape[1]}x{pixels.shape[0]} are over "
                f"the limit of {self._most:g} megapixels for {self._style.form}; raise it with --max-megapixels, or "
                "give --format webm"
            )
        self._made.append(pixels)
        self._times.append(frame.time)
        self._last = frame.duration

    def data(self) -> bytes:
        """The file's bytes."""
        unit = 10 if self._style.form == "gif" else 1
        shown = durations(self._times, self._last, unit)
        return encode_frames(self._made, self._style, shown, plays=self._about.plays)


@contextmanager
def album_of(path: Path, about: About, style: Style, *, megapixels: float, overwrite: bool = False) -> Iterator[Album]:
    """An animated picture to write, whole or not at all. Raises ImageError."""
    album = Album(about, style, megapixels, path)
    yield album
    write(path, album.data(), overwrite=overwrite)


class Pages:
    """A folder of PNG files being written, and the times at which they are shown."""

    def __init__(self, folder: Path, overwrite: bool):
        self._folder, self._overwrite = folder, overwrite
        self._times: list[Fraction] = []
        self.note = ""

    def add(self, pixels: np.ndarray, frame: Frame) -> None:
        """Raises ImageError."""
        self._times.append(frame.time)
        target = self._folder / f"{len(self._times):06}.png"
        write(target, encode(pixels, "png"), overwrite=self._overwrite)

    def finish(self) -> None:
        """Times in milliseconds, one a line (Matroska's timestamp format v2)."""
        lines = ["# timestamp format v2", *(f"{float(t * 1000):.3f}" for t in self._times)]
        write(self._folder / "timestamps.txt", "\n".join([*lines, ""]).encode(), overwrite=True)


@contextmanager
def sequence_of(folder: Path, sound: bool, *, overwrite: bool = False) -> Iterator[Pages]:
    """A folder to write frames to; those that are done stay, each whole, and their times where all are. Raises
    ImageError."""
    if folder.exists() and not overwrite and (not folder.is_dir() or any(folder.iterdir())):
        raise ImageError(f"{folder}: exists; give --overwrite to replace what is in it")
    made = Pages(folder, overwrite)
    if sound:
        made.note = "a sequence of pictures holds no sound"
    yield made
    made.finish()
