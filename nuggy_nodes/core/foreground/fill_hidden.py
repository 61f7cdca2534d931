"""Colours for the pixels that nobody should see: nothing of the old background stays in a file.

Pull-push (Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.4; Burt, "Moment Images, Polynomial Fit Filters
and the Problem of Surface Interpolation", CVPR 1988): the visible colours are averaged, weighted by alpha, into a
pyramid of blocks (8x8 pixels, then 2x2 blocks); from the top down, a block with too few visible pixels takes over the
coarser colour, enlarged bilinearly.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..checks import check_alpha, check_finite, check_image, match_batch
from ..errors import InputError
from ..ops.blocks import block_means, enlarge_window
from ..ops.colour import colour_plane
from ..ops.tiles import tile_side, tiles
from .unknown_region import HIDDEN

ENOUGH = 8.0  # a block whose mean weight is 1/8 or more keeps its own colour alone
FIRST = 8  # side in pixels of the blocks of the finest level


def fill_hidden(colours: Tensor, alpha: Tensor, colour: Sequence[float] | None = None, below: float = HIDDEN) -> Tensor:
    """Replace the colours where alpha < `below`: smoothly from the visible colours around, or by `colour`.

    Guaranteed: a visible pixel (alpha >= below) keeps its colour bit for bit; a hidden pixel's new colour is a function
    of alpha and of the visible pixels' colours alone, so no hidden colour, near or far, has any influence on the
    result. A picture without visible pixels becomes black (or `colour`).

    Args:
        colours: [B,3,H,W], 0..1.
        alpha: [B,1,H,W], 0..1; batches equal or one.
        colour: three values 0..1, or None for the smooth fill.
        below: 0 or more and under 1, by default one 8-bit step.

    Returns:
        [B,3,H,W] in the dtype of `colours`.

    Raises:
        InputError: bad shapes, sizes or values, NaN or infinity.
    """
    check_image(colours, "colours")
    check_alpha(alpha)
    if colours.shape[-2:] != alpha.shape[-2:]:
        raise InputError(f"colours are {tuple(colours.shape)} and alpha {tuple(alpha.shape)}; sizes must be equal")
    if not 0 <= below < 1:
        raise InputError(f"below must be 0 or more and under 1; got {below}")
    check_finite(alpha, "alpha")
    check_finite(colours, "colours")
    colours, alpha = match_batch(colours.detach(), alpha.detach(), "colours", "alpha")
    out = colours.clone(memory_format=torch.contiguous_format)
    for picture, matte in zip(out, alpha):
        fill_one(picture, matte[0], colour, below)
    return out


def fill_one(colours: Tensor, alpha: Tensor, colour: Sequence[float] | None = None, below: float = HIDDEN) -> None:
    """fill_hidden of one picture, in place.

    Args:
        colours: [3,H,W], 0..1; not read in a tile that is all hidden.
        alpha: [H,W], 0..1.
        colour, below: as for fill_hidden.
    """
    if colour is not None:
        colours.copy_(torch.where(alpha >= below, colours, colour_plane(colour, colours[None])[0]))
        return
    height, width = alpha.shape
    side = tile_side(colours.device)
    sums = torch.zeros(4, -(-height // FIRST), -(-width // FIRST), device=colours.device)
    for top, bottom, left, right in tiles(height, width, side):
        weight = alpha[top:bottom, left:right].float()
        if float(weight.max()) >= below:
            part = torch.empty(4, *weight.shape, device=weight.device)
            torch.mul(weight, (weight >= below).float(), out=part[3])
            torch.mul(colours[:, top:bottom, left:right].float(), part[3], out=part[:3])
            sums[:, top // FIRST : -(-bottom // FIRST), left // FIRST : -(-right // FIRST)] = block_means(part, FIRST)
    smooth = _pull_push(sums)
    for window in tiles(height, width, side):
        top, bottom, left, right = window
        low, high = (float(x) for x in alpha[top:bottom, left:right].aminmax())
        if low < below:
            new, part = enlarge_window(smooth, FIRST, window).to(colours.dtype), colours[:, top:bottom, left:right]
            if high < below:
                part.copy_(new)
            else:  # exact for 0 and 1, and faster than torch.where
                part.lerp_(new, (alpha[top:bottom, left:right] < below).to(part.dtype))


def _pull_push(sums: Tensor) -> Tensor:
    """Weighted colours and weights [4,h,w] -> colours everywhere [3,h,w]."""
    pyramid = [sums]
    while max(pyramid[-1].shape[-2:]) > 1:
        pyramid.append(block_means(pyramid[-1], 2))
    out = pyramid[-1].new_zeros(3, 1, 1)
    for i, level in enumerate(reversed(pyramid)):
        h, w = level.shape[-2:]
        trust = (level[3] * ENOUGH).clamp_(max=1) if i else (level[3] > 0).to(level.dtype)
        own = level[:3] / level[3].clamp(min=1e-12)
        out = torch.lerp(enlarge_window(out, 2, (0, h, 0, w)) if i else out, own, trust)
    return out.clamp_(0, 1)
