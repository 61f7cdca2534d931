"""Grey-scale morphology: the largest and the smallest value in a window (Serra, "Image Analysis and Mathematical
Morphology", 1982)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

DIAMONDS = 2 - math.sqrt(2)  # share of a regular octagon's reach that its diamonds have, the rest is squares'


def largest(x: Tensor, radius: int) -> Tensor:
    """The largest value within `radius` rows and columns of each pixel; what lies outside the picture does not count.

    Args:
        x: [B,C,H,W].
        radius: pixels; below 1 nothing changes.

    Returns:
        A tensor of the same shape.
    """
    if radius < 1:
        return x
    x = F.max_pool2d(x, (2 * radius + 1, 1), 1, (radius, 0))
    return F.max_pool2d(x, (1, 2 * radius + 1), 1, (0, radius))


def smallest(x: Tensor, radius: int) -> Tensor:
    """As `largest`, the smallest value.

    Args:
        x: [B,C,H,W].
        radius: pixels.

    Returns:
        A tensor of the same shape.
    """
    return -largest(-x, radius) if radius > 0 else x


def opening(x: Tensor, radius: int) -> Tensor:
    """x less what is narrower than 2*radius+1: the largest of the smallest.

    Args:
        x: [B,C,H,W].
        radius: pixels.

    Returns:
        A tensor of the same shape; nowhere above x.
    """
    return torch.minimum(largest(smallest(x, radius), radius), x)


def grown(x: Tensor, reach: float) -> Tensor:
    """[B,C,H,W] grown by `reach` pixels in every direction: the largest value in an octagon around each pixel.

    Args:
        x: values 0..1.
        reach: pixels, 0 or more; a fraction is a mixture of the two whole steps beside it, so that a hard edge moves by
            that part of a pixel.

    Returns:
        A tensor of the same shape; nowhere below x.
    """
    whole, part = int(reach), reach - int(reach)
    for step in range(whole):
        x = _step(x, step)
    return torch.lerp(x, _step(x, whole), part) if part > 0 else x


def shrunk(x: Tensor, reach: float) -> Tensor:
    """As `grown`, by the smallest value.

    Args:
        x: [B,C,H,W], 0..1.
        reach: pixels, 0 or more.

    Returns:
        A tensor of the same shape; nowhere above x.
    """
    return 1 - grown(1 - x, reach)


def _step(x: Tensor, number: int) -> Tensor:
    """One pixel more of an octagon: a square or a diamond of radius 1, in turn by their shares."""
    if int((number + 1) * DIAMONDS) > int(number * DIAMONDS) or number == 0:
        return torch.maximum(F.max_pool2d(x, (3, 1), 1, (1, 0)), F.max_pool2d(x, (1, 3), 1, (0, 1)))
    return largest(x, 1)
