"""How several views of one photograph become one answer."""

from __future__ import annotations

from torch import Tensor

from .errors import InputError

METHODS = ("mean", "max")


def combine(views: Tensor, how: str) -> Tensor:
    """views: probabilities [V,B,1,h,w] on one grid. how: one of METHODS. Returns [B,1,h,w]."""
    if how not in METHODS:
        raise InputError(f"views are combined by one of {', '.join(METHODS)}; got {how!r}")
    return views.mean(0) if how == "mean" else views.amax(0)
