"""The guided filter on a CPU: tile by tile, tiles shared out among threads.

A photograph of 12 megapixels and its products are 13 planes of 48 MB; whole planes made one after another go through
memory some fifty times. Here a thread makes products, box means and fit of one tile after another in memory of its own,
the algebra some rows at a time, so that what one step writes the next finds in a cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue

import torch
from torch import Tensor

from ..ops.box_filter import box_mean_tile
from ..ops.thread_pool import for_each
from ..ops.tiles import Window, even_tiles
from .guided_filter_fit import count, fit, line, products

BAND = 1 << 22  # pixels for which fitted coefficients are held at a time: bounds memory
TILE = 768, 4096  # rows and columns; four radii at the least, as the margin around a tile is worked on twice
CELL = 1 << 17  # pixels on which the algebra works at a time


@dataclass(frozen=True)
class Band:
    """The fitted coefficients a and b [C+1,h,W] of some rows of the picture, from `first` to `last`."""

    fitted: Tensor
    first: int
    last: int

    @property
    def area(self) -> Window:
        """Its window in the picture."""
        return self.first, self.last, 0, self.fitted.shape[-1]

    def next(self, first: int, last: int) -> Band:
        """A band that begins with those rows of this one that it needs again.

        Args:
            first, last: its rows.

        Returns:
            The band, its other rows not yet filled.
        """
        fitted = torch.empty(len(self.fitted), last - first, self.fitted.shape[-1])
        again = self.fitted[:, first - self.first :]
        fitted[:, : again.shape[1]] = again
        return Band(fitted, first, last)


@dataclass(frozen=True)
class TileFilter:
    """One photograph's filter: the guide [C,H,W], what is filtered [H,W], the settings, and where the result goes."""

    guide: Tensor
    src: Tensor
    shift: float
    radius: int
    epsilon: float
    out: Tensor

    def fit(self, band: Band, window: Window, memory: Tensor) -> None:
        """The coefficients of a window, into the band.

        Args:
            band: where they go.
            window: of the picture, inside the band.
            memory: a thread's own, for the planes of the window and its surroundings.
        """
        size = (self.src.shape[0], self.src.shape[1])
        area = _around(window, self.radius, *size)
        planes = _planes(memory, count(len(self.guide)), area)
        colours, flat = _cut(self.guide, area), _cut(self.src, area)
        for rows in _cells(area):
            products(colours[:, rows], flat[rows], self.shift, planes[:, rows])
        for plane in planes.numpy():
            box_mean_tile(plane, plane, self.radius, area, size)
        means, fitted = _cut(planes, window, area), _cut(band.fitted, window, band.area)
        for rows in _cells(window):
            fit(means[:, rows], self.epsilon, fitted[:, rows])

    def line(self, band: Band, window: Window, memory: Tensor) -> None:
        """The result in a window, of the coefficients in the band.

        Args:
            band: holds them.
            window: of the picture.
            memory: a thread's own.
        """
        size = (self.src.shape[0], self.src.shape[1])
        area = _around(window, self.radius, *size)
        planes = _planes(memory, len(self.guide) + 1, area)
        for fitted, plane in zip(_cut(band.fitted, area, band.area).numpy(), planes.numpy()):
            box_mean_tile(fitted, plane, self.radius, area, size)
        means, colours, filtered = _cut(planes, window, area), _cut(self.guide, window), _cut(self.out, window)
        for rows in _cells(window):
            line(means[:, rows], colours[:, rows], self.shift, filtered[rows])


def filter_tiles(guide: Tensor, src: Tensor, shift: float, radius: int, epsilon: float) -> Tensor:
    """As guided_filter.filter_strips, on a CPU.

    Args:
        guide: [C,H,W], C 1 or 3, any float type.
        src: [H,W] float32.
        shift: a constant that is taken off the guide.
        radius, epsilon: as for guided_filter.

    Returns:
        [H,W] float32.
    """
    channels, height, width = guide.shape
    wide = TILE[1] if radius < TILE[0] // 8 else TILE[1] // 2  # a thread's memory grows with the margin around a tile
    sides = max(TILE[0], 4 * radius), max(wide, 4 * radius)
    rows = max(-(-height // -(-height * width // BAND)), 2 * radius)
    bands = [(top, min(top + rows, height)) for top in range(0, height, rows)]
    ends = [min(bottom + radius, height) for _, bottom in bands]  # up to here a band wants coefficients
    to_fit = [list(_tiles(ready, end, width, sides)) for ready, end in zip([0, *ends], ends)]
    to_line = [list(_tiles(top, bottom, width, sides)) for top, bottom in bands]
    room = max(_pixels(_around(w, radius, height, width)) for windows in to_fit + to_line for w in windows)
    threads = min(torch.get_num_threads(), max(map(len, to_fit + to_line)))
    memory = Lender([torch.empty(count(channels) * room) for _ in range(threads)])
    work = TileFilter(guide, src, shift, radius, epsilon, torch.empty(height, width))
    band = Band(torch.empty(channels + 1, 0, width), 0, 0)
    for (top, _), end, fits, lines in zip(bands, ends, to_fit, to_line):
        band = band.next(max(top - radius, 0), end)
        for_each(partial(memory.lend, partial(work.fit, band)), fits)
        for_each(partial(memory.lend, partial(work.line, band)), lines)
    return work.out


class Lender:
    """Pieces of memory, each lent to one thread at a time."""

    def __init__(self, pieces: list[Tensor]):
        self._pieces: SimpleQueue[Tensor] = SimpleQueue()
        for piece in pieces:
            self._pieces.put(piece)

    def lend(self, work: Callable[[Window, Tensor], None], window: Window) -> None:
        """work(window, a piece of memory).

        Args:
            work: what wants the memory.
            window: handed on to it.
        """
        piece = self._pieces.get()
        try:
            work(window, piece)
        finally:
            self._pieces.put(piece)


def _pixels(window: Window) -> int:
    return (window[1] - window[0]) * (window[3] - window[2])


def _planes(memory: Tensor, planes: int, area: Window) -> Tensor:
    """So many planes [n,h,w] of an area's size in the given memory."""
    return memory[: planes * _pixels(area)].view(planes, area[1] - area[0], area[3] - area[2])


def _cut(x: Tensor, window: Window, area: Window = (0, 0, 0, 0)) -> Tensor:
    """The window's part of [...,h,w], which is an area of the picture (or all of it)."""
    top, left = area[0], area[2]
    return x[..., window[0] - top : window[1] - top, window[2] - left : window[3] - left]


def _around(window: Window, radius: int, height: int, width: int) -> Window:
    """The window and `radius` around it, as far as the picture goes."""
    top, bottom, left, right = window
    return max(top - radius, 0), min(bottom + radius, height), max(left - radius, 0), min(right + radius, width)


def _cells(window: Window) -> Iterator[slice]:
    """The rows of a window, counted within it, in pieces of at most CELL pixels (or one row)."""
    height, rows = window[1] - window[0], max(CELL // (window[3] - window[2]), 1)
    return (slice(t, min(t + rows, height)) for t in range(0, height, rows))


def _tiles(top: int, bottom: int, width: int, sides: tuple[int, int]) -> Iterator[Window]:
    """The rows from top to bottom cut into tiles of about so many rows and columns."""
    for first, last, left, right in even_tiles(max(bottom - top, 0), width, sides):
        yield top + first, top + last, left, right
