"""The guided filter on a CPU: tile by tile, tiles shared out among threads.

A photograph of 12 megapixels and its products are 13 planes of 48 MB; whole planes made one after another go through
memory some fifty times. Here a thread makes products, box means and fit of one tile after another in memory of its own,
some rows at a time, so that what one step writes the next finds in a cache. Planes are interleaved, up to four, for
the box filter: OpenCV's running sum over a row waits for its own last value, and four side by side wait at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from queue import Empty, SimpleQueue

import numpy as np
import torch
from torch import Tensor

from .boxmean import box_mean_tile
from .guided_fit import count, fit, line, products
from .share import Window
from .threads import for_each

BAND = 1 << 24  # pixels for which fitted coefficients are held at a time: bounds memory
SIDE = 1024  # of a tile, at the least; eight radii at the least, as the margin around it is worked on twice
CELL = 1 << 17  # pixels on which the algebra works at a time


def filter_tiles(guide: Tensor, src: Tensor, shift: float, radius: int, epsilon: float) -> Tensor:
    """As guided.filter_strips. guide: [C,H,W] (C 1 or 3, any float type), src: [H,W] float32. Returns [H,W] float32."""
    channels, height, width = guide.shape
    side = max(SIDE, 8 * radius)
    bands = -(-height * width // BAND)
    rows = max(-(-height // bands), 2 * radius)
    memory: SimpleQueue[np.ndarray] = SimpleQueue()  # a thread's own while it works on a tile
    out = torch.empty(height, width)
    held, first, last = torch.empty(channels + 1, 0, width), 0, 0  # a and b of the rows from first to last

    def fit_tile(window: Window) -> None:
        area = _around(window, radius, height, width)
        mine = _memory(memory, count(channels) * (area[1] - area[0]) * (area[3] - area[2]))
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
        memory.put(mine)

    def line_tile(window: Window) -> None:
        area = _around(window, radius, height, width)
        mine = _memory(memory, count(channels) * (area[1] - area[0]) * (area[3] - area[2]))
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
        memory.put(mine)

    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        ready, before = last, held[:, max(top - radius, 0) - first :]
        first, last = max(top - radius, 0), min(bottom + radius, height)
        held = torch.empty(channels + 1, last - first, width)
        held[:, : ready - first] = before
        for_each(fit_tile, _tiles(ready, last, width, side))
        for_each(line_tile, _tiles(top, bottom, width, side))
    return out


def _memory(free: SimpleQueue[np.ndarray], size: int) -> np.ndarray:
    """Room for so many values: what another tile has left, if it is enough. Memory new to the process is slow."""
    while not free.empty():
        try:
            if len(found := free.get_nowait()) >= size:
                return found
        except Empty:
            break
    return np.empty(size, np.float32)


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
