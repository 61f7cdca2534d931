"""Colours for the pixels that nobody should see: nothing of the old background stays in a file.

Pull-push (Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.4; Burt, "Moment Images, Polynomial Fit Filters
and the Problem of Surface Interpolation", CVPR 1988): the visible colours are averaged, weighted by alpha, into a
pyramid of blocks (4x4 pixels, then 2x2 blocks); from the top down, a block with too few visible pixels takes over the
coarser colour, enlarged bilinearly.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .checks import check_alpha, check_finite, check_image, match_batch
from .composite import colour_plane
from .errors import InputError

HIDDEN = 0.5 / 255  # what eight bits store as 0
ENOUGH = 8.0  # a block whose mean weight is 1/8 or more keeps its own colour alone
FIRST = 4  # side in pixels of the blocks of the finest level
STRIP = 1 << 16  # pixels held at a time


def fill_hidden(colours: Tensor, alpha: Tensor, colour: Sequence[float] | None = None, below: float = HIDDEN) -> Tensor:
    """Replace the colours where alpha <= `below`: smoothly from the visible colours around, or by `colour`.

    colours: [B,3,H,W], 0..1; alpha: [B,1,H,W], batches equal or one; colour: three values 0..1, or None for the smooth
    fill; below: 0 or more and under 1, by default half of an 8-bit step. Returns [B,3,H,W] in the dtype of `colours`.

    Guaranteed: a visible pixel (alpha > below) keeps its colour bit for bit; a hidden pixel's new colour is a function
    of alpha and of the visible pixels' colours alone, so no hidden colour, near or far, has any influence on the
    result. A picture without visible pixels becomes black (or `colour`).
    Raises InputError for bad shapes, sizes, values, and for NaN or infinity.
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
    if colour is not None:
        return torch.where(alpha > below, colours, colour_plane(colour, colours))
    out = colours.clone(memory_format=torch.contiguous_format)
    for picture, matte in zip(out, alpha):
        fill_one(picture, matte[0], below)
    return out


def fill_one(colours: Tensor, alpha: Tensor, below: float = HIDDEN) -> None:
    """The smooth fill of one picture, in place. colours: [3,H,W]; alpha: [H,W]."""
    height, width = alpha.shape
    if not bool((alpha <= below).any()):
        return
    rows = max(STRIP // width // FIRST, 1) * FIRST
    strips = [(top, min(top + rows, height)) for top in range(0, height, rows)]
    sums = []
    for top, bottom in strips:
        weight = alpha[top:bottom].float()
        weight = torch.where(weight > below, weight, 0)
        part = torch.empty(4, *weight.shape, device=weight.device)
        torch.mul(colours[:, top:bottom].float(), weight, out=part[:3])
        part[3] = weight
        sums.append(_means(part, FIRST))
    smooth = _pull_push(torch.cat(sums, 1))
    for top, bottom in strips:
        hidden = alpha[top:bottom] <= below
        if bool(hidden.any()):
            part = colours[:, top:bottom]
            part.copy_(torch.where(hidden, _enlarge(smooth, FIRST, top, bottom, width).to(part.dtype), part))


def _pull_push(sums: Tensor) -> Tensor:
    """Weighted colours and weights [4,h,w] -> colours everywhere [3,h,w]."""
    pyramid = [sums]
    while max(pyramid[-1].shape[-2:]) > 1:
        pyramid.append(_means(pyramid[-1], 2))
    out = pyramid[-1].new_zeros(3, 1, 1)
    for i, level in enumerate(reversed(pyramid)):
        h, w = level.shape[-2:]
        trust = (level[3] * ENOUGH).clamp_(max=1) if i else (level[3] > 0).to(level.dtype)
        own = level[:3] / level[3].clamp(min=1e-12)
        out = torch.lerp(_enlarge(out, 2, 0, h, w) if i else out, own, trust)
    return out.clamp_(0, 1)


def _means(x: Tensor, block: int) -> Tensor:
    """Means over block x block (over as many also at a border that cuts a block; zeros outside)."""
    h, w = x.shape[-2:]
    if h % block or w % block:
        x = F.pad(x, (0, -w % block, 0, -h % block))
    return F.avg_pool2d(x[None], block)[0]


def _enlarge(x: Tensor, block: int, top: int, bottom: int, width: int) -> Tensor:
    """Rows top..bottom of x at `block` times its size, bilinearly; `top` a multiple of `block`."""
    first, last = max(top // block - 1, 0), min(-(-bottom // block) + 1, x.shape[1])
    x = x[:, first:last].contiguous()
    if x.device.type == "cpu":  # the same samples as torch's, four times as fast
        import cv2

        size = (x.shape[2] * block, x.shape[1] * block)
        planes = [cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in x.numpy()]
        wide = torch.stack([torch.from_numpy(plane) for plane in planes])
    else:
        wide = F.interpolate(x[None], scale_factor=block, mode="bilinear", align_corners=False)[0]
    return wide[:, top - first * block : bottom - first * block, :width]
