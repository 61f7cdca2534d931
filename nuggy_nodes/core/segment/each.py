"""Several subjects: each connected part of a mask as a mask of its own."""

from __future__ import annotations

import torch
from torch import Tensor

from ..checks import check_alpha
from ..errors import InputError
from ..ops.connected_components import AT_HOME, components

LEAST = 0.002  # of the picture's pixels: smaller parts go with the nearest large one's mask, or with the first


def each_part(alpha: Tensor, threshold: float = 0.1, least: float = LEAST) -> list[Tensor]:
    """Split a mask into its parts, the largest first.

    Parts are 8-connected regions of alpha > threshold with at least `least` of the picture's pixels; subjects that
    touch are one part. What is smaller, and what is at or under the threshold, goes to the part whose box's middle is
    nearest, so that the parts' sum is the mask.

    Args:
        alpha: [1,1,H,W], 0..1.
        threshold: 0..1.
        least: share of the picture's pixels, 0..1.

    Returns:
        Masks [1,1,H,W]; one, alpha itself, where there are fewer than two parts.

    Raises:
        InputError: not one mask.
    """
    if len(check_alpha(alpha)) != 1:
        raise InputError(f"parts are those of one mask; got a batch of {len(alpha)}")
    device = alpha.device
    plane = alpha[0, 0] if device.type in AT_HOME else alpha[0, 0].cpu()
    parts = components(plane > threshold, 8)
    area = parts.areas()
    large = (area >= max(least * plane.numel(), 1)).nonzero()[:, 0]
    if len(large) < 2:
        return [alpha]
    large = large[area[large].argsort(descending=True, stable=True)]
    left, top, right, bottom = parts.boxes()
    middle = torch.stack([(top + bottom) / 2, (left + right) / 2], 1)
    to_large = torch.cdist(middle, middle[large]).argmin(1)
    to_large[large] = torch.arange(len(large), device=plane.device)
    owner = torch.full(plane.shape, -1, dtype=torch.long, device=plane.device)
    owner[plane > threshold] = to_large[parts.of_pixels()]
    rest = ((plane > 0) & (owner < 0)).nonzero()
    for some in rest.split(1 << 16):
        owner[some[:, 0], some[:, 1]] = torch.cdist(some.float(), middle[large].float()).argmin(1)
    return [torch.where(owner == i, plane, 0)[None, None].to(device) for i in range(len(large))]
