"""Photographs that are transparent already: what the network is shown of them, and the subject's share of what is seen.

opacity: [B,1,H,W], 0..1, how much of the photograph is there; where it is 0, the photograph's colours mean nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor

NEUTRAL = 0.5  # grey: what the network sees where there is nothing


def shown(image: Tensor, opacity: Tensor) -> Tensor:
    """The photograph over neutral grey, as the network sees it.

    Args:
        image: [B,3,H,W], 0..1, straight colours.
        opacity: [B,1,H,W], 0..1.

    Returns:
        [B,3,H,W], in the image's dtype.
    """
    return torch.lerp(torch.full_like(image, NEUTRAL), image, opacity.to(image.dtype))


def within(alpha: Tensor, opacity: Tensor) -> Tensor:
    """The mask that, multiplied by the photograph's own opacity, gives the smaller of the two: a cut-out never makes a
    pixel more opaque than it was, and does not thin a soft edge twice.

    Args:
        alpha: of any shape, 0..1.
        opacity: of the same shape, 0..1.

    Returns:
        alpha / opacity, at most 1; where there is nothing, alpha itself.
    """
    return torch.where(opacity > 0, (alpha / opacity.clamp(min=1e-6)).clamp(max=1), alpha)
