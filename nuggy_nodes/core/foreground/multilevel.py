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
from dataclasses import dataclass

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

    Args:
        image: [3,H,W], 0..1.
        alpha: [H,W] float32, 0..1.
        cells: unsure_cells(alpha).
        put: called as put(window, colours), never twice for a pixel: colours [6,h,w] float32 in [0,1], foreground then
            background. Pixels that are not unsure hold no sensible value.
    """
    height, width = alpha.shape
    near = near_cells(cells)
    where = Tiled(near.cpu().numpy(), tile_side(alpha.device))
    steps = 1 if height * width <= LARGE else 2
    levels = [_evidence(image, alpha, near, steps, where.trimmed(where.cells, height, width))]
    while max(levels[-1].shape[-2:]) > 1:
        h, w = levels[-1].shape[-2:]
        levels.append(_coarser(levels[-1], where.at(steps + len(levels) - 1, h, w).holding))

    colours = _start(levels.pop())
    while levels:
        planes = levels.pop()
        h, w = planes.shape[-2:]
        colours = _finer(colours, planes, where.at(steps + len(levels), h, w))

    for tile in where.trimmed(cells.cpu().numpy(), height, width):
        top, bottom, left, right = tile
        outer = _widen(tile, 1, height, width)
        stiff = _crop(stiffness(alpha[outer[0] : outer[1], outer[2] : outer[3]])[None], outer, tile)[0]
        part = image[:, top:bottom, left:right].float()
        put(tile, mix_back(enlarge_window(colours, 1 << steps, tile), part, alpha[top:bottom, left:right], stiff))


@dataclass(frozen=True)
class LevelTiles:
    """Tiles of one level: those that hold near cells, and those beside them, whose borders these read."""

    holding: list[Window]
    beside: list[Window]


@dataclass(frozen=True)
class Tiled:
    """Where the near cells [ceil(H/CELL), ceil(W/CELL)] lie, in tiles of `side`."""

    cells: NDArray[np.bool_]
    side: int

    def at(self, level: int, h: int, w: int) -> LevelTiles:
        """The tiles of a level.

        Args:
            level: values of it stand for 2^level pixels a side.
            h, w: its size in values.

        Returns:
            The tiles that hold near cells, and those beside them.
        """
        cut = list(tiles(h, w, self.side))
        held = np.zeros((-(-h // self.side) + 2, -(-w // self.side) + 2), np.bool_)  # one more tile on each side
        for top, bottom, left, right in cut:
            ys = slice((top << level) // CELL, -(-(bottom << level) // CELL))
            xs = slice((left << level) // CELL, -(-(right << level) // CELL))
            held[top // self.side + 1, left // self.side + 1] = self.cells[ys, xs].any()
        found = LevelTiles([], [])
        for window in cut:
            y, x = window[0] // self.side, window[2] // self.side
            if held[y + 1, x + 1]:
                found.holding.append(window)
            elif held[y : y + 3, x : x + 3].any():
                found.beside.append(window)
        return found

    def trimmed(self, which: NDArray[np.bool_], height: int, width: int) -> Iterator[Window]:
        """The tiles of full size that hold some cells, without the rows and columns around these.

        Args:
            which: bool [ceil(H/CELL), ceil(W/CELL)], the cells.
            height, width: of the picture, in pixels.

        Returns:
            The windows in pixels, one after another.
        """
        step = self.side // CELL
        for top in range(0, which.shape[0], step):
            for left in range(0, which.shape[1], step):
                ys, xs = which[top : top + step, left : left + step].nonzero()
                if len(ys):
                    y, x = (top + ys.min()) * CELL, (left + xs.min()) * CELL
                    yield y, min((top + ys.max() + 1) * CELL, height), x, min((left + xs.max() + 1) * CELL, width)


def _start(planes: Tensor) -> Tensor:
    """The colours of the coarsest level, one pixel: the means, by a^2 + ab = a and ab + b^2 = b."""
    weights = torch.stack((planes[0] + planes[1], planes[1] + planes[2])).clamp_(min=1e-12)
    return torch.cat((planes[3:6] / weights[0], planes[6:9] / weights[1])).clamp_(0, 1)


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


def _finer(colours: Tensor, planes: Tensor, where: LevelTiles) -> Tensor:
    """Colours of the next finer level, whose planes these are: solved where there is evidence, repeated beside."""
    h, w = planes.shape[-2:]
    out = torch.empty(6, h, w, device=colours.device)
    for top, bottom, left, right in where.beside:
        out[:, top:bottom, left:right] = repeat(colours, (top, bottom, left, right))
    for tile in where.holding:
        outer = _widen(tile, ITERATIONS, h, w)
        part = planes[:, outer[0] : outer[1], outer[2] : outer[3]]
        done = relax(repeat(colours, outer), part, ITERATIONS)
        out[:, tile[0] : tile[1], tile[2] : tile[3]] = _crop(done, outer, tile)
    return out


def _widen(tile: Window, by: int, h: int, w: int) -> Window:
    return max(tile[0] - by, 0), min(tile[1] + by, h), max(tile[2] - by, 0), min(tile[3] + by, w)


def _crop(colours: Tensor, outer: Window, tile: Window) -> Tensor:
    return colours[:, tile[0] - outer[0] : tile[1] - outer[0], tile[2] - outer[2] : tile[3] - outer[2]]
