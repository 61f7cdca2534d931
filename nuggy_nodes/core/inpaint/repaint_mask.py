"""What a diffusion model may repaint around a kept subject, as a mask that respects the model's latent grid.

Latent models work on cells of 8x8 pixels. ComfyUI resizes a noise mask to that grid bilinearly without antialiasing: a
cell takes the mean of its four middle pixels and does not see the others, so that a strand beside the middle is lost.
A mask that is constant in every cell says the same to every way of resizing (the middle, the mean, the nearest).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import check_alpha
from ..errors import InputError
from ..ops.box_filter import box_mean
from ..ops.morphology import largest

CELLS = ("keep", "repaint")


def repaint_mask(
    alpha: Tensor, grow: int = 8, feather: int = 0, protect: float = 0.95, grid: int = 8, cells: str = "keep",
    within: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The mask for inpainting nodes and pipelines.

    Guaranteed with "keep" or grid 1: exactly 0 at every pixel with alpha >= protect, and on all of its cell.
    Guaranteed with "repaint" and feather 0: exactly 1 on every cell with a pixel of alpha < min(0.5, protect).

    Args:
        alpha: [B,1,H,W], 0..1, 1 = subject.
        grow: pixels by which the repainted area (alpha below 0.5) reaches into the subject's soft edge, 0 or more.
        feather: length in pixels of a ramp from 0 to 1 that begins where the repainted area begins and lies inside it,
            for differential diffusion; 0 gives a mask of zeros and ones.
        protect: it never reaches a pixel with alpha at or above this, above 0 and at most 1.
        grid: side of the latent cells, 1 for none; the mask is constant in every cell, counted from the top left
            corner.
        cells: "keep" gives a cell its least value, so a cell that holds a protected pixel is not repainted; "repaint"
            its greatest, so no cell keeps any of the old background.
        within: [1 or B,1,H,W], where repainting is allowed at all (above 0.5); None: everywhere.

    Returns:
        [B,1,H,W] float32, 1 = repaint.

    Raises:
        InputError: a setting that is not allowed.
    """
    check_alpha(alpha)
    if grow < 0 or feather < 0 or grid < 1:
        raise InputError(f"grow and feather must be 0 or more and grid 1 or more; got {grow}, {feather} and {grid}")
    if not 0 < protect <= 1:
        raise InputError(f"protect must be above 0 and at most 1; got {protect}")
    if cells not in CELLS:
        raise InputError(f"cells must be {' or '.join(CELLS)}; got {cells!r}")
    alpha = alpha.float()
    area = largest(((alpha < 0.5) & (alpha < protect)).float(), grow) * (alpha < protect)
    if within is not None:
        area = area * (within > 0.5)
    return in_cells(ramp_inside(area, feather), grid, cells)


def ramp_inside(area: Tensor, length: int) -> Tensor:
    """An area that rises from 0 at its inner border to 1. The picture's border is not a border of the area.

    Shrunk by half the length, then averaged over windows of that radius: no window of a pixel outside the area holds a
    pixel that is left, so the sum there is exactly 0.

    Args:
        area: zeros and ones [B,1,H,W].
        length: of the ramp, in pixels; below 1 nothing changes.

    Returns:
        [B,1,H,W], 0..1, exactly 0 outside the area.
    """
    if length < 1:
        return area
    shrunk = 1 - largest(1 - area, (length + 1) // 2)
    if length < 2:
        return shrunk
    out = box_mean(shrunk, length // 2)
    return torch.where(out > 1 - 1e-5, 1.0, out)  # differential diffusion compares: a rounded 1 would start late


def in_cells(mask: Tensor, grid: int, cells: str = "keep") -> Tensor:
    """A mask made constant in cells of grid x grid pixels.

    Args:
        mask: [B,1,H,W].
        grid: pixels; 1 changes nothing.
        cells: "keep": their least value, "repaint": their greatest.

    Returns:
        [B,1,H,W].
    """
    if grid == 1:
        return mask
    h, w = mask.shape[-2:]
    sign = -1.0 if cells == "keep" else 1.0
    padded = F.pad(sign * mask, (0, -w % grid, 0, -h % grid), value=float("-inf"))
    pooled = F.max_pool2d(padded, grid)
    wide = (sign * pooled).repeat_interleave(grid, -2).repeat_interleave(grid, -1)
    return wide[..., :h, :w] + 0.0  # no negative zero
