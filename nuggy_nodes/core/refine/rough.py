"""A rough mask gets the photograph's edges: the mask says what the subject is, the photograph where exactly it ends.

A hard mask is sure of every pixel, so nothing in it tells how far it may be wrong. The photograph does: the contrast
along the mask's edge over the mean contrast around it (`alignment`) is high where the edge lies on one of the
photograph's, about 1 where it wobbles across them. An edge that lies is given a narrow band, in which hair and soft
rims are found; one that wobbles a wide one, in which the guided filter (He, Sun, Tang, PAMI 2013) runs with ever
smaller windows, with levels in between: first which side a colour belongs to, then where the sides meet. The learned
refinement corrects in the band what the filter leaves.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..checks import check_alpha, check_image, check_same_size, match_batch
from ..errors import InputError
from ..ops.box_filter import box_mean
from ..ops.morphology import largest, smallest
from ..ops.resample import enlarge
from ..ops.tiles import bounds
from .guided_filter import guided_filter
from .learned import refine_learned
from .levels import levels
from .refine import fullness

NARROW, WIDE = 1 / 128, 1 / 26  # of the longer side: the band of an edge that lies, and of one that wobbles
ALIGNED = 1.32  # alignment from which an edge lies
AROUND = 0.015  # of the longer side: how far the mean contrast is taken
SHRINKS = (1.0, 0.5, 0.25)  # of the window, from pass to pass in a wide band
COARSE, FINE = 0.2, 0.02  # black point (white: 1 less it) in a wide band, in a narrow one
EPSILON = {False: 1e-4, True: 1e-5}  # of the filter: in a wide band, in a narrow one


def refine_rough(
    image: Tensor,
    mask: Tensor,
    uncertainty: float | None = None,
    unsure: Tensor | None = None,
    detail: float = 0.0,
) -> Tensor:
    """Find the edge of a rough mask in the photograph.

    Args:
        image: photographs [B,3,H,W], 0..1.
        mask: [B,1,h,w], 0..1, hard or soft, of the photograph's size or smaller; a batch of one serves all.
        uncertainty: how far the mask's edge may be wrong, in pixels of the photograph; None: measured (`alignment`).
        unsure: [B,1,H,W], where above 0.5 the mask says nothing (a trimap's grey): there the edge is looked for,
            however wide it is.
        detail: share of the learned refinement's change that is made (recipes.Recipe), 0..1.

    Returns:
        [B,1,H,W], 0..1, float32. Farther from the mask's edge than the band, and off `unsure`, the mask as it was.

    Raises:
        InputError: shapes, batches or values that do not fit.
    """
    check_image(image)
    check_alpha(mask, "mask")
    if uncertainty is not None and not 0 < uncertainty <= max(image.shape[-2:]):
        raise InputError(f"uncertainty is in pixels, above 0 and at most the photograph's side; got {uncertainty}")
    image, mask = match_batch(image, mask, "image", "mask")
    if unsure is not None:
        check_same_size(image, check_alpha(unsure, "unsure"), "image", "unsure")
        image, unsure = match_batch(image, unsure, "image", "unsure")
    parts = []
    for i in range(len(image)):
        photograph, alpha = image[i : i + 1].float(), enlarge(mask[i : i + 1].float(), *image.shape[-2:]).clamp(0, 1)
        if unsure is not None:
            band = unsure[i : i + 1] > 0.5
            alpha = _trimap(photograph, alpha, band)
        else:
            alpha, band = _banded(photograph, alpha, uncertainty)
        if detail:
            alpha = refine_learned(photograph, alpha, alpha, band.float(), detail, fullness(float(alpha.mean())))
        parts.append(alpha)
    return torch.cat(parts)


def alignment(image: Tensor, mask: Tensor) -> float:
    """The photograph's contrast along the mask's edge over the mean around it. Contrast is the length of the gradient
    over the three colours.

    Args:
        image: [1,3,H,W], 0..1.
        mask: [1,1,H,W], 0..1.

    Returns:
        The quotient; 1 where there is no edge.
    """
    inside = (mask > 0.5).float()
    reach = max(round(AROUND * max(image.shape[-2:])), 2)
    edge = largest(inside, 1) > smallest(inside, 1)
    around = largest(inside, reach) > smallest(inside, reach)
    if not bool(edge.any()):
        return 1.0
    smooth = box_mean(image, 1)
    padded = torch.nn.functional.pad(smooth, (1, 1, 1, 1), mode="replicate")
    across = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    contrast = (across.square() + down.square()).sum(1, keepdim=True).sqrt()
    return float(contrast[edge].mean() / contrast[around].mean().clamp(min=1e-6))


def _banded(image: Tensor, alpha: Tensor, uncertainty: float | None) -> tuple[Tensor, Tensor]:
    """The mask with its edge found in a band, and that band, bool."""
    side = max(image.shape[-2:])
    narrow = alignment(image, alpha) >= ALIGNED if uncertainty is None else uncertainty <= 2 * NARROW * side
    width = (NARROW if narrow else WIDE) * side if uncertainty is None else uncertainty
    first = max(round(width), 1)
    near = box_mean(alpha, first)
    band = (near > 0.02) & (near < 0.98)
    return passes(image, alpha, band, first, narrow), band


def passes(image: Tensor, alpha: Tensor, band: Tensor, first: int, narrow: bool = False) -> Tensor:
    """Find the edge within a band by guided filters with ever smaller windows, levels in between.

    Args:
        image: [1,3,H,W], 0..1.
        alpha: [1,1,H,W], 0..1.
        band: bool [1,1,H,W], where the edge may lie; alpha stays elsewhere.
        first: window of the first pass, in pixels from its centre.
        narrow: one pass only, for an edge that lies where the photograph's does.

    Returns:
        [1,1,H,W], 0..1.
    """
    window = bounds(band[0, 0], 2 * first)  # what is farther off has no say in the band
    if window is None:
        return alpha
    here = (..., slice(*window[:2]), slice(*window[2:]))
    black, shown, inside, found = FINE if narrow else COARSE, image[here], band[here], alpha[here]
    for shrink in SHRINKS[:1] if narrow else SHRINKS:
        filtered = guided_filter(shown, found, max(round(first * shrink), 1), EPSILON[narrow]).clamp_(0, 1)
        found = torch.where(inside, levels(filtered, black, 1 - black), found)
    out = alpha.clone()
    out[here] = found
    return out


def _trimap(image: Tensor, alpha: Tensor, unsure: Tensor) -> Tensor:
    """Inside `unsure` the sure sides' colours decide; it begins undecided, and what is sure stays."""
    depth, width, rest = 0, 1, unsure.float()
    while depth < 8 and bool((rest > 0).any()):  # half the width of the widest place, by doubling erosions
        rest, depth, width = smallest(rest, width), depth + 1, width * 2
    start = torch.where(unsure, torch.full_like(alpha, 0.5), alpha)
    return passes(image, start, unsure, max(width, 2))
