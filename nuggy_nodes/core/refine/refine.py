"""The refinement: a coarse mask gets the photograph's edges at the photograph's size."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..ops.box_filter import box_mean
from ..ops.resample import enlarge
from ..ops.tiles import bounds
from .guided_filter_fast import cell_of, fast_guided_filter
from .learned import refine_learned
from .levels import levels

DOUBT_RADIUS = 1 / 64  # of the longer side
DOUBT_CELLS = 512  # along the longer side, at the least
DOUBT = (0.03, 0.12)  # share of undecided alpha: the mask's own edge up to the first, the filter's from the second
WIDE = (0.1, 0.2)  # the same share: a window of NARROW times the radius up to the first, of the whole from the second
NARROW = 0.3
WHOLE = 0.3  # a subject of this share of the photograph gets the full radius
GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601 luma, on sRGB-encoded values


def refine(
    image: Tensor,
    coarse: Tensor,
    *,
    guide: str = "colour",
    radius: float = 20.0,
    epsilon: float = 1e-4,
    passes: int = 1,
    black: float = 0.1,
    white: float = 0.9,
    gamma: float = 1.0,
    detail: float = 0.0,
    whole: int | None = None,
) -> Tensor:
    """Bring a coarse mask to the size of its photograph: edges from the photograph, then levels.

    Where the mask is sure of itself but for a narrow edge, that edge stays: a window much wider than it would smear it
    (`doubt`); the more is undecided, the wider the window (WIDE): a hard edge needs little of the photograph, fur much.
    What the filter takes away inside a small subject are its gaps, what it adds around one is mostly smear:
    additions count by `fullness`.

    Args:
        image: the photograph [1,3,H,W], 0..1.
        coarse: its mask [1,1,h,w], 0..1, of any size.
        guide, radius, epsilon, passes, black, white, gamma, detail: the settings of the same names (recipes.Recipe).
        whole: pixels of the longer side of the photograph that this is a window of; None: it is whole.

    Returns:
        The mask [1,1,H,W], 0..1, float32.
    """
    height, width = image.shape[-2:]
    alpha = enlarge(coarse.float(), height, width)
    if guide == "none":
        return levels(alpha, black, white, gamma)
    followed = brightness(image) if guide == "grey" else image
    share = float(coarse.mean())
    pixels = radius_in_pixels(radius, *(whole, whole) if whole else (height, width), share)
    before, much = alpha, undecided(alpha, whole)  # of the mask at full size: one that comes enlarged gives the same
    weight, wide = ramp(much, DOUBT), ramp(much, WIDE)
    reaches = ((max(round(pixels * NARROW), 1), weight * (1 - wide)), (pixels, wide))
    for done in range(passes):
        seen, alpha = alpha, alpha.clone()
        for reach, cells in reaches:
            part = enlarge(cells, height, width)
            window = bounds(part[0, 0] > 0, 2 * reach)  # nothing farther off has a say where the filter counts
            if window:
                (top, bottom, left, right), cell = window, cell_of(reach)
                here = (..., slice(top // cell * cell, bottom), slice(left // cell * cell, right))
                change = (
                    fast_guided_filter(followed[here], seen[here], reach, epsilon).sub_(seen[here]).mul_(part[here])
                )
                del part  # a plane of a large photograph is worth a thought
                alpha[here] += _less_added(change, fullness(share))
        gentler, last = 2**done, done + 1 == passes
        alpha = levels(alpha, black / gentler, 1 - (1 - white) / gentler, gamma if last else 1.0)
    if not detail:
        return alpha
    return refine_learned(image, before, alpha, enlarge(weight, height, width), detail, fullness(share))


def fullness(share: float) -> float:
    """How far a subject fills the photograph: 1 from WHOLE on, in proportion below.

    A filter's window wider than a subject's parts smears them, and what is small has edges that the network's grid
    tells well enough, so the radius shrinks with it.

    Args:
        share: of the photograph, 0..1.

    Returns:
        0.15 to 1.
    """
    return min(max(share / WHOLE, 0.15), 1.0)


def radius_in_pixels(radius: float, height: int, width: int, share: float = 1.0) -> int:
    """A radius for a photograph of some size.

    Args:
        radius: in pixels of a photograph whose long side is 1024.
        height, width: of the photograph.
        share: that the subject has of it, 0..1.

    Returns:
        Pixels, at least 1.
    """
    return max(round(radius * fullness(share) * max(height, width) / 1024), 1)


def brightness(image: Tensor) -> Tensor:
    """Grey by GREY.

    Args:
        image: [B,3,H,W], 0..1.

    Returns:
        [B,1,H,W] float32.
    """
    return (image.float() * torch.tensor(GREY, device=image.device).view(1, 3, 1, 1)).sum(1, keepdim=True)


def _less_added(change: Tensor, part: float) -> Tensor:
    """A change of alpha, in place: what it takes away whole, what it adds by `part`."""
    return F.leaky_relu_(change.neg_(), part).neg_()


def doubt(mask: Tensor, whole: int | None = None) -> Tensor:
    """How far a mask needs the photograph to tell what is subject.

    The share of undecided alpha on the scale DOUBT. A straight edge as sharp as the network's grid holds gives about
    the first value there: it is kept. Fur, strands and gaps give more.

    Args:
        mask: [B,1,h,w], 0..1.
        whole: pixels of the longer side of the photograph that the mask is a window of; None: it is whole.

    Returns:
        0..1, same shape.
    """
    return enlarge(ramp(undecided(mask, whole), DOUBT), mask.shape[-2], mask.shape[-1])


def undecided(mask: Tensor, whole: int | None = None) -> Tensor:
    """The share of undecided alpha, 4p(1-p), in a window of DOUBT_RADIUS.

    Args:
        mask, whole: as for `doubt`.

    Returns:
        [B,1,h',w'], 0..1, on cells: the share is smooth, and large masks need not have it pixel by pixel.
    """
    side = whole or max(mask.shape[-2:])
    mask = mask.float()
    open_ = torch.addcmul(mask, mask, mask, value=-1)
    cell = max(side // DOUBT_CELLS, 1)
    if cell > 1:
        open_ = F.avg_pool2d(open_, cell, ceil_mode=True, count_include_pad=False)
    return 4 * box_mean(open_, max(round(DOUBT_RADIUS * -(-side // cell)), 1))


def ramp(values: Tensor, scale: tuple[float, float]) -> Tensor:
    """0 up to the first value of a scale, 1 from the second.

    Args:
        values: any shape.
        scale: two values, the lower first.

    Returns:
        0..1, same shape.
    """
    return ((values - scale[0]) / (scale[1] - scale[0])).clamp_(0, 1)
