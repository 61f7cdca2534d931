"""Cells: square blocks of a picture's pixels, their means, and the way back to pixels.

Torch's own pooling takes two to three times as long where a cell is a few pixels wide.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from .thread_pool import for_each
from .tiles import Window

STRIP = 1 << 17  # pixels of a plane that a CPU works on at a time: they stay in a core's cache


def cell_sums(planes: Tensor, cell: int) -> Tensor:
    """Sums over cells.

    Args:
        planes: [C,H,W], sides multiples of a cell's.
        cell: pixels.

    Returns:
        [C,H/cell,W/cell].
    """
    rows = sum((planes[:, i::cell] for i in range(1, cell)), planes[:, ::cell])
    return sum((rows[..., i::cell] for i in range(1, cell)), rows[..., ::cell])


def cell_means(x: Tensor, cell: int) -> Tensor:
    """Means over cells; one at the right or lower border is the mean of what it has.

    Args:
        x: [C,H,W], any float type.
        cell: pixels.

    Returns:
        [C,h,w] float32, sides rounded up.
    """
    channels, height, width = x.shape
    across = -(-width // cell)
    out = torch.empty(channels, -(-height // cell), across, device=x.device)

    def one(top: int, bottom: int) -> None:
        part = x[:, top:bottom].float()
        down, right = -part.shape[1] % cell, -width % cell
        if down or right:
            part = F.pad(part, (0, right, 0, down))
        out[:, top // cell : -(-bottom // cell)] = cell_sums(part, cell)

    in_strips(one, height, width, cell, x.device)
    return out.mul_(inverse_counts(height, cell, x.device)[:, None] * inverse_counts(width, cell, x.device))


def inverse_counts(side: int, cell: int, device: torch.device) -> Tensor:
    """One over how many pixels of a side are in each of its cells.

    Args:
        side, cell: pixels.
        device: of the result.

    Returns:
        [cells].
    """
    first = torch.arange(0, side, cell, device=device)
    return 1.0 / (side - first).clamp(max=cell)


def in_strips(work: Callable[[int, int], None], height: int, width: int, cell: int, device: torch.device) -> None:
    """work(top, bottom) for strips of rows that begin with a cell: on a CPU small ones, shared out among threads.

    Args:
        work: may write only where no other strip's does.
        height, width: of the picture.
        cell: pixels.
        device: that works.

    Raises:
        Exception: what `work` raised.
    """
    small = device.type == "cpu"
    rows = max((STRIP if small else 32 * STRIP) // max(width, 1) // cell, 1) * cell
    strips = [(top, min(top + rows, height)) for top in range(0, height, rows)]
    if small:
        for_each(lambda strip: work(*strip), strips)
    else:
        for strip in strips:
            work(*strip)


def in_pixels(cells: Tensor, cell: int, window: Window) -> Tensor:
    """A window of the picture, of values on its cells, bilinearly; the same wherever the window begins.

    Args:
        cells: [B,C,h,w].
        cell: pixels.
        window: top, bottom, left, right in pixels.

    Returns:
        [B,C,bottom-top,right-left].
    """
    top, bottom, left, right = window
    y, x = max(top // cell - 1, 0), max(left // cell - 1, 0)
    part = cells[..., y : -(-bottom // cell) + 1, x : -(-right // cell) + 1]
    here = (..., slice(top - y * cell, bottom - y * cell), slice(left - x * cell, right - x * cell))
    if part.device.type != "cpu":
        return F.interpolate(part, scale_factor=cell, mode="bilinear", align_corners=False)[here]
    wide = F.interpolate(part, scale_factor=(1, cell), mode="bilinear", align_corners=False)
    return _in_rows(wide, cell)[here]


def _in_rows(x: Tensor, cell: int) -> Tensor:
    """Every row [B,C,h,w] of cells as rows of pixels [B,C,h*cell,w], linearly: whole rows at a time take a third of
    torch's own time, which goes from pixel to pixel."""
    batch, channels, height, width = x.shape
    out = x.new_empty(batch, channels, height, cell, width)
    around = torch.cat((x[..., :1, :], x, x[..., -1:, :]), -2)  # beyond the first and the last row nothing changes
    for i in range(cell):
        at = (i + 0.5) / cell + 0.5  # from the middle of the row before
        above, below = (around[..., int(at) + k : int(at) + k + height, :] for k in (0, 1))
        torch.lerp(above, below, at % 1, out=out[..., i, :])
    return out.flatten(2, 3)
