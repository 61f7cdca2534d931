"""The guided filter fitted on cells of a wide window: as good, at a cost that falls with the square of a cell.

He, Sun, "Fast Guided Filter", arXiv:1505.00996, 2015: guide and input are reduced, the windows' lines fitted and
averaged there, and the coefficients enlarged bilinearly; only the line itself is drawn at full size. What varies inside
a cell has no say in the fit, so texture finer than that is passed on to the result instead of being averaged away.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..ops.box_filter import box_mean
from ..ops.cells import cell_means, in_pixels, in_strips
from .guided_filter import checked, guided_filter, shift_of
from .guided_filter_fit import count, fit, line, products

CELLS = 8  # that a radius has, at the least


def cell_of(radius: int) -> int:
    """The cell for a window.

    Args:
        radius: pixels.

    Returns:
        Pixels, a power of two; 1 where the window is too small for more.
    """
    return max(1 << (radius // CELLS).bit_length() >> 1, 1)


def fast_guided_filter(guide: Tensor, src: Tensor, radius: int, epsilon: float) -> Tensor:
    """guided_filter on cells of `cell_of(radius)`; the same to the bit where that is 1.

    Args:
        guide: [B,1,H,W] (grey) or [B,3,H,W] (colour), values 0..1.
        src, radius, epsilon: as for guided_filter.

    Returns:
        [B,1,H,W] float32 in no fixed range.

    Raises:
        InputError: shapes, batches or values that do not fit.
    """
    cell = cell_of(int(radius))
    if cell == 1:
        return guided_filter(guide, src, radius, epsilon)
    guide, src = checked(guide, src, radius, epsilon)
    return torch.stack([_filter_one(g, s, int(radius), float(epsilon), cell) for g, s in zip(guide, src)])


def _filter_one(guide: Tensor, src: Tensor, radius: int, epsilon: float, cell: int) -> Tensor:
    """The filter on one guide [C,H,W] and src [1,H,W]."""
    (channels, height, width), device, shift = guide.shape, guide.device, shift_of(guide)
    small, flat = cell_means(guide, cell), cell_means(src, cell)[0]
    planes = torch.empty(count(channels), *flat.shape, device=device)
    products(small, flat, shift, planes)
    fitted = torch.empty(channels + 1, *flat.shape, device=device)
    reach = max(round(radius / cell), 1)
    fit(box_mean(planes[None], reach)[0], epsilon, fitted)
    fitted = box_mean(fitted[None], reach)
    out = torch.empty(1, height, width, device=device)

    def draw(top: int, bottom: int) -> None:
        line(in_pixels(fitted, cell, (top, bottom, 0, width))[0], guide[:, top:bottom], shift, out[0, top:bottom])

    in_strips(draw, height, width, cell, device)
    return out
