"""The guided filter on a CPU: tile by tile, tiles shared out among threads.

A photograph of 12 megapixels and its products are 13 planes of 48 MB; whole planes made one after another go through
memory some fifty times. Here a thread makes products, box means and fit of one tile after another in memory of its own,
some rows at a time, so that what one step writes the next finds in a cache. Planes are interleaved, up to four, for
the box filter: OpenCV's running sum over a row waits for its own last value, and four side by side wait at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from queue import SimpleQueue

import numpy as np
import torch
from torch import Tensor

from .boxmean import box_mean_tile
from .guided_fit import count, fit, line, products
from .threads import for_each
from .tiles import Window

BAND = 1 << 24  # pixels for which fitted coefficients are held at a time: bounds memory
SIDE = 1024  # of a tile, at the least; eight radii at the least, as the margin around it is worked on twice
CELL = 1 << 17  # pixels on which the algebra works at a time


def filter_tiles(guide: Tensor, src: Tensor, shift: float, radius: int, epsilon: float) -> Tensor:
    """As guided.filter_strips. guide: [C,H,W] (C 1 or 3, any float type), src: [H,W] float32. Returns [H,W] float32."""
    channels, height, width = guide.shape
    side = max(SIDE, 8 * radius)
    rows = max(-(-height // -(-height * width // BAND)), 2 * radius)
    bands = [(top, min(top + rows, height)) for top in range(0, height, rows)]
    ends = [min(bottom + radius, height) for _, bottom in bands]  # up to here a band wants coefficients
    to_fit = [list(_tiles(ready, end, width, side)) for ready, end in zip([0, *ends], ends)]
    to_line = [list(_tiles(top, bottom, width, side)) for top, bottom in bands]
    room = max(_pixels(_around(w, radius, height, width)) for windows in to_fit + to_line for w in windows)
    memory: SimpleQueue[np.ndarray] = SimpleQueue()  # a piece is a thread's own while it works on a tile
    for _ in range(min(torch.get_num_threads(), max(map(len, to_fit + to_line)))):
        memory.put(np.empty(count(channels) * room, np.float32))
    out = torch.empty(height, width)
    held, first, last = torch.empty(channels + 1, 0, width), 0, 0  # a and b of the rows from first to last

    def fit_tile(window: Window, mine: np.ndarray) -> None:
        area = _around(window, radius, height, width)
        top, left = window[0] - area[0], window[2] - area[2]
        arrays = _arrays(mine, count(channels), area)
        for t, b in _cells(area):
            here = slice(area[0] + t, area[0] + b), slice(area[2], area[3])
            planes = torch.empty(count(channels), b - t, area[3] - area[2])
            products(guide[:, here[0], here[1]], src[here], shift, planes)
            _interleave(planes, [a[t:b] for a in arrays])
        for a in arrays:
            box_mean_tile(a, radius, area, (height, width))
        for t, b in _cells(window):
            means = _planes([a[top + t : top + b, left : left + window[3] - window[2]] for a in arrays])
            fit(means, epsilon, held[:, window[0] - first + t : window[0] - first + b, window[2] : window[3]])

    def line_tile(window: Window, mine: np.ndarray) -> None:
        area = _around(window, radius, height, width)
        top, left = window[0] - area[0], window[2] - area[2]
        arrays = _arrays(mine, channels + 1, area)
        for t, b in _cells(area):
            _interleave(held[:, area[0] - first + t : area[0] - first + b, area[2] : area[3]], [a[t:b] for a in arrays])
        for a in arrays:
            box_mean_tile(a, radius, area, (height, width))
        for t, b in _cells(window):
            here = slice(window[0] + t, window[0] + b), slice(window[2], window[3])
            means = _planes([a[top + t : top + b, left : left + window[3] - window[2]] for a in arrays])
            line(means, guide[:, here[0], here[1]], shift, out[here])

    def lend(work: Callable[[Window, np.ndarray], None], window: Window) -> None:
        mine = memory.get()
        try:
            work(window, mine)
        finally:
            memory.put(mine)

    for i, (top, _) in enumerate(bands):
        before = held[:, max(top - radius, 0) - first :]
        first, last = max(top - radius, 0), ends[i]
        held = torch.empty(channels + 1, last - first, width)
        held[:, : before.shape[1]] = before
        for_each(partial(lend, fit_tile), to_fit[i])
        for_each(partial(lend, line_tile), to_line[i])
    return out


def _pixels(window: Window) -> int:
    return (window[1] - window[0]) * (window[3] - window[2])


def _arrays(memory: np.ndarray, planes: int, area: Window) -> list[np.ndarray]:
    """Arrays [h,w,C] in the given memory that hold so many planes, at most four each and as even as they come."""
    height, width = area[1] - area[0], area[3] - area[2]
    arrays, at, groups = [], 0, -(-planes // 4)
    for i in range(groups):
        channels = planes // groups + (i < planes % groups)
        size = height * width * channels
        arrays.append(memory[at : at + size].reshape(height, width, channels))
        at += size
    return arrays


def _interleave(planes: Tensor, arrays: list[np.ndarray]) -> None:
    """Planes [sum of C,h,w] into arrays [h,w,C]."""
    import cv2

    rest = list(planes.numpy())
    for a in arrays:
        cv2.merge(rest[: a.shape[2]], dst=a)
        rest = rest[a.shape[2] :]


def _planes(arrays: list[np.ndarray]) -> Tensor:
    """Arrays [h,w,C] as planes [sum of C,h,w], contiguous."""
    import cv2

    height, width = arrays[0].shape[:2]
    planes = torch.empty(sum(a.shape[2] for a in arrays), height, width)
    rest = list(planes.numpy())
    for a in arrays:
        cv2.split(a, rest[: a.shape[2]])
        rest = rest[a.shape[2] :]
    return planes


def _around(window: Window, radius: int, height: int, width: int) -> Window:
    """The window and `radius` around it, as far as the picture goes."""
    top, bottom, left, right = window
    return max(top - radius, 0), min(bottom + radius, height), max(left - radius, 0), min(right + radius, width)


def _cells(window: Window) -> Iterator[tuple[int, int]]:
    """First row and row after the last, counted within the window, of pieces of at most CELL pixels (or one row)."""
    height, rows = window[1] - window[0], max(CELL // (window[3] - window[2]), 1)
    return ((t, min(t + rows, height)) for t in range(0, height, rows))


def _tiles(top: int, bottom: int, width: int, side: int) -> Iterator[Window]:
    """The rows from top to bottom cut into tiles of about `side`, as even as they come."""
    if top < bottom:
        down, across = max(round((bottom - top) / side), 1), max(round(width / side), 1)
        ys = [top + (bottom - top) * i // down for i in range(down + 1)]
        xs = [width * i // across for i in range(across + 1)]
        for y, below in pairwise(ys):
            for x, right in pairwise(xs):
                yield y, below, x, right
