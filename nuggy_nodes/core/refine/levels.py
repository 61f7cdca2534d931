"""Levels: black point, white point and gamma on an alpha, as every picture editor has them."""

from __future__ import annotations

from torch import Tensor

from ..errors import InputError


def levels(alpha: Tensor, black: float = 0.0, white: float = 1.0, gamma: float = 1.0) -> Tensor:
    """Stretch [black, white] to [0, 1], clip, then raise to `gamma` (below 1 lifts half-transparent parts).

    Args:
        alpha: any float shape, 0..1.
        black, white: both in [0,1], black below white.
        gamma: above 0, at most 10.

    Returns:
        A new tensor, 0..1.

    Raises:
        InputError: a value out of range.
    """
    if not 0 <= black < white <= 1:
        raise InputError(f"levels need 0 <= black < white <= 1; got black {black} and white {white}")
    if not 0 < gamma <= 10:
        raise InputError(f"gamma must be above 0 and at most 10; got {gamma}")
    out = (alpha - black).mul_(1.0 / (white - black)).clamp_(0, 1)
    return out if gamma == 1 else out.pow_(gamma)
