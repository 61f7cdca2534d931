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
    return _along(_along(x, radius, -2), radius, -1)


def _along(x: Tensor, radius: int, dim: int) -> Tensor:
    """The largest of 2*radius+1 values down the columns (dim -2) or along the rows (-1) of [B,C,H,W].

    A CPU's pooling looks at every value of a window and notes where the largest lies; windows that double, of which two
    that overlap make one of any length, take a tenth of its time.
    """
    if x.device.type != "cpu":
        window, around = ((2 * radius + 1, 1), (radius, 0)) if dim == -2 else ((1, 2 * radius + 1), (0, radius))
        return F.max_pool2d(x, window, 1, around)
    n = x.shape[dim]
    shape = [*x.shape]
    shape[dim] = radius
    # around the picture its border's values, which are in those windows anyway
    x, length = torch.cat((x.narrow(dim, 0, 1).expand(shape), x, x.narrow(dim, n - 1, 1).expand(shape)), dim), 1
    while 2 * length <= 2 * radius + 1:
        x = torch.maximum(x.narrow(dim, 0, x.shape[dim] - length), x.narrow(dim, length, x.shape[dim] - length))
        length *= 2
    return torch.maximum(x.narrow(dim, 0, n), x.narrow(dim, 2 * radius + 1 - length, n))


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
        return torch.maximum(_along(x, 1, -2), _along(x, 1, -1))
    return largest(x, 1)
