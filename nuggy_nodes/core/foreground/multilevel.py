"""Multi-level foreground and background colours.

Germer, Uelwer, Conrad, Harmeling, "Fast Multi-Level Foreground Estimation", ICPR 2020 (arXiv 2006.14970). With
b = 1 - alpha, the colours F and B of all pixels minimise, for each channel,

    sum_i (alpha_i F_i + b_i B_i - I_i)^2 + sum_(i,j) w_ij ((F_i - F_j)^2 + (B_i - B_j)^2)
    w_ij = epsilon + |alpha_i - alpha_j|                        for the four neighbours j of i

A pixel's share, its neighbours held fixed, is a 2x2 system with a closed solution. A coarse level is solved
first and is the start of the next finer one; within a level all pixels are updated at once (Jacobi).

Coarse levels differ from the paper, which drops pixels (nearest neighbour): here a coarse pixel stands for its 2x2
finer ones with one F and one B, so its share of the first sum is theirs added up (Galerkin coarsening by aggregation),

    [ sum a^2  sum ab  ] [F]   [ sum aI ]
    [ sum ab   sum b^2 ] [B] = [ sum bI ]

which is no longer of rank one: a coarse pixel across an edge knows both colours. Edges are those that cross the border
of two coarse pixels, halved (the usual correction for piecewise constant prolongation). Few iterations then suffice:
two a level, and at full size a single solve whose neighbours are the finest level of blocks, enlarged bilinearly
(`mix_back`). Those blocks are 2x2 pixels, and 4x4 in large pictures.

The picture is worked on in tiles that hold evidence (`near_cells`); nothing of full size is held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..ops.blocks import enlarge_window
from ..ops.tiles import Window, tile_side, tiles
from .multilevel_systems import PLANES, coarsen, mix_back, planes_of, relax, repeat, stiffness
from .unknown_region import CELL, near_cells

LARGE = 4_000_000  # pixels; above, iterations start at blocks of 4x4 pixels instead of 2x2
ITERATIONS = 2  # a level; on the smallest levels ten of them change no digit of the errors in benchmarks/RESULTS.md


def multilevel(image: Tensor, alpha: Tensor, cells: Tensor, put: Callable[[Window, Tensor], None]) -> None:
    """Foreground and background colours of the tiles that hold unsure pixels.

    image: [3,H,W]; alpha: [H,W] float32, 0..1; cells: unsure_cells(alpha). Calls put(window, colours), never twice for
    a pixel: colours [6,h,w] float32 in [0,1], foreground then background. Pixels that are not unsure hold no sensible
    value.
    """
    height, width = alpha.shape
    side = tile_side(alpha.device)
    near = near_cells(cells)
    near_here, unsure_here = near.cpu().numpy(), cells.cpu().numpy()

    def known(level: int, h: int, w: int) -> tuple[list[Window], list[Window]]:
        """The tiles of a level that hold near cells, and the tiles beside them, whose borders these read."""
        cut = list(tiles(h, w, side))
        held = np.zeros((-(-h // side) + 2, -(-w // side) + 2), np.bool_)
        for top, bottom, left, right in cut:
            ys = slice((top << level) // CELL, -(-(bottom << level) // CELL))
            xs = slice((left << level) // CELL, -(-(right << level) // CELL))
            held[top // side + 1, left // side + 1] = near_here[ys, xs].any()
        inner: list[Window] = []
        beside: list[Window] = []
        for window in cut:
            y, x = window[0] // side, window[2] // side
            if held[y + 1, x + 1]:
                inner.append(window)
            elif held[y : y + 3, x : x + 3].any():
                beside.append(window)
        return inner, beside

    def trimmed(which: NDArray[np.bool_]) -> Iterator[Window]:
        """The tiles of full size that hold these cells, without the rows and columns around these."""
        step = side // CELL
        for top in range(0, which.shape[0], step):
            for left in range(0, which.shape[1], step):
                ys, xs = which[top : top + step, left : left + step].nonzero()
                if len(ys):
                    y, x = (top + ys.min()) * CELL, (left + xs.min()) * CELL
                    yield y, min((top + ys.max() + 1) * CELL, height), x, min((left + xs.max() + 1) * CELL, width)

    steps = 1 if height * width <= LARGE else 2
    levels = [_evidence(image, alpha, near, steps, trimmed(near_here))]
    while max(levels[-1].shape[-2:]) > 1:
        h, w = levels[-1].shape[-2:]
        levels.append(_coarser(levels[-1], known(steps + len(levels) - 1, h, w)[0]))

    start = levels.pop()
    weights = torch.stack((start[0] + start[1], start[1] + start[2])).clamp_(min=1e-12)  # a^2 + ab = a; ab + b^2 = b
    colours = torch.cat((start[3:6] / weights[0], start[6:9] / weights[1])).clamp_(0, 1)
    while levels:
        planes = levels.pop()
        h, w = planes.shape[-2:]
        colours = _finer(colours, planes, *known(steps + len(levels), h, w))

    for tile in trimmed(unsure_here):
        top, bottom, left, right = tile
        outer = _widen(tile, 1, height, width)
        stiff = _crop(stiffness(alpha[outer[0] : outer[1], outer[2] : outer[3]])[None], outer, tile)[0]
        part = image[:, top:bottom, left:right].float()
        put(tile, mix_back(enlarge_window(colours, 1 << steps, tile), part, alpha[top:bottom, left:right], stiff))


def _zeros(h: int, w: int, device: torch.device) -> Tensor:
    """Planes without evidence. On a CPU numpy's zeros take no memory until written, and most of a picture never is."""
    if device.type == "cpu":
        return torch.from_numpy(np.zeros((PLANES, h, w), np.float32))
    return torch.zeros(PLANES, h, w, device=device)


def _evidence(image: Tensor, alpha: Tensor, near: Tensor, steps: int, where: Iterable[Window]) -> Tensor:
    """The planes of level `steps`; zeros outside the windows `where` of full size."""
    block, (h, w) = 1 << steps, alpha.shape
    out = _zeros(-(-h // block), -(-w // block), alpha.device)
    for top, bottom, left, right in where:
        outer = top, min(bottom + 1, h), left, min(right + 1, w)  # with the edges that cross the window's border
        part = planes_of(image, alpha, near, outer)[:, : bottom - top, : right - left]
        for _ in range(steps):
            part = coarsen(part)
        out[:, top // block : -(-bottom // block), left // block : -(-right // block)] = part
    return out


def _coarser(planes: Tensor, where: Iterable[Window]) -> Tensor:
    """The next coarser level of the planes; zeros outside the windows `where`."""
    h, w = planes.shape[-2:]
    out = _zeros(-(-h // 2), -(-w // 2), planes.device)
    for top, bottom, left, right in where:
        part = coarsen(planes[:, top:bottom, left:right])
        out[:, top // 2 : (bottom + 1) // 2, left // 2 : (right + 1) // 2] = part
    return out


def _finer(colours: Tensor, planes: Tensor, where: Iterable[Window], beside: Iterable[Window]) -> Tensor:
    """Colours of the next finer level, whose planes these are: solved in `where`, repeated in `beside`."""
    h, w = planes.shape[-2:]
    out = torch.empty(6, h, w, device=colours.device)
    for top, bottom, left, right in beside:
        out[:, top:bottom, left:right] = repeat(colours, (top, bottom, left, right))
    for tile in where:
        outer = _widen(tile, ITERATIONS, h, w)
        part = planes[:, outer[0] : outer[1], outer[2] : outer[3]]
        done = relax(repeat(colours, outer), part, ITERATIONS)
        out[:, tile[0] : tile[1], tile[2] : tile[3]] = _crop(done, outer, tile)
    return out


def _widen(tile: Window, by: int, h: int, w: int) -> Window:
    return max(tile[0] - by, 0), min(tile[1] + by, h), max(tile[2] - by, 0), min(tile[3] + by, w)


def _crop(colours: Tensor, outer: Window, tile: Window) -> Tensor:
    return colours[:, tile[0] - outer[0] : tile[1] - outer[0], tile[2] - outer[2] : tile[3] - outer[2]]
