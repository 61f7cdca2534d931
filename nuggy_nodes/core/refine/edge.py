"""Shift edge and feather: the mask as a whole a little larger, smaller or softer, as picture editors offer it."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ..ops.connected_components import AT_HOME
from ..ops.morphology import grown, opening, shrunk
from .islands import remove_islands

THIN = 2  # pixels: what an opening of this radius takes away is a strand
LONG = 8  # pixels: a strand's reach at the least; what is shorter is a corner that the opening rounded off
FARTHEST = 4.0  # standard deviations at which the Gaussian is cut off


def adjust_edge(alpha: Tensor, *, shift_edge: float = 0.0, feather: float = 0.0) -> Tensor:
    """`shift`, then `soften`.

    Args:
        alpha: masks [B,1,H,W], 0..1.
        shift_edge: pixels, -20 to 20.
        feather: pixels, 0 to 50.

    Returns:
        Masks of the same shape; `alpha` itself where both are 0.
    """
    alpha = shift(alpha, shift_edge) if shift_edge else alpha
    return soften(alpha, feather) if feather else alpha


def shift(alpha: Tensor, pixels: float) -> Tensor:
    """Move the mask's edge outward (above 0) or inward (below 0) by so many pixels, or a part of one.

    Inward, strands stay: where the mask is thin (up to 2 * THIN wide and at least LONG long) it is as before, and so is
    the edge that a strand grows out of, as far as the shift and a pixel around the strand, so that none is cut off.

    Args:
        alpha: masks [B,1,H,W], 0..1.
        pixels: distance; whole ones by an octagon, parts by mixing (ops.morphology.grown).

    Returns:
        Masks of the same shape.
    """
    if pixels >= 0:
        return grown(alpha, pixels)
    less = shrunk(alpha, -pixels)
    strands = _strands(alpha)
    if not bool((strands > 0).any()):
        return less
    return torch.maximum(less, torch.minimum(alpha, grown(strands, math.ceil(-pixels) + 1)))


def soften(alpha: Tensor, pixels: float) -> Tensor:
    """Blur the mask by a Gaussian; the border is continued outward.

    Args:
        alpha: masks [B,1,H,W], 0..1.
        pixels: standard deviation, above 0.

    Returns:
        Masks of the same shape, float32, 0..1.
    """
    reach = math.ceil(FARTHEST * pixels)
    x = torch.arange(-reach, reach + 1, dtype=torch.float64)
    kernel = torch.exp(-0.5 * (x / pixels) ** 2)
    kernel = (kernel / kernel.sum()).to(alpha.device, torch.float32)
    for shape, pads in (((1, 1, -1, 1), (0, 0, reach, reach)), ((1, 1, 1, -1), (reach, reach, 0, 0))):
        alpha = F.conv2d(F.pad(alpha.float(), pads, mode="replicate"), kernel.view(shape))
    return alpha.clamp(0, 1)


def _strands(alpha: Tensor) -> Tensor:
    """What of the mask is thin and long; 0 elsewhere."""
    thin = (alpha - opening(alpha, THIN)).clamp(min=0)
    thin = torch.where(thin > 0.5 * alpha, alpha, 0)  # the whole of a strand, not what it rises above its ground
    at = thin if thin.device.type in AT_HOME else thin.cpu()
    diagonal = math.hypot(*alpha.shape[-2:])
    kept, _ = remove_islands(at, 0.1, 1.0, min(LONG / diagonal, 1.0), 0.0)
    return kept.to(alpha.device)
