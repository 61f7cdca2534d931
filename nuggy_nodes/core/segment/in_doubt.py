"""Whether more views can change what the views so far say of a photograph."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..ops.median import lower_median
from ..ops.morphology import opening
from .consensus import WIDE, cut_off, support

DISPUTED = 0.08  # area, of the largest subject that any view sees, from which on views contradict each other
LITTLE = 1 / 2048  # of the grid: a subject smaller than this counts as so large


def border_counts(frame: Tensor) -> Tensor:
    """Whether views with a continued border may change what consensus.regions makes of the views of the whole frame.

    Args:
        frame: [V,B,1,h,w], 0..1.

    Returns:
        bool [B]: False where the frame cuts no subject off.
    """
    radius = _radius(frame)
    agreed, union = lower_median(frame), frame.amax(0)
    cut = cut_off(agreed, radius)
    carried = agreed + support(agreed, union, cut) * (union - agreed)
    return (torch.maximum(cut, cut_off(carried, radius)) > 0).flatten()


def disputed(views: Tensor, padded: Sequence[bool]) -> Tensor:
    """Whether views contradict each other over more than rims.

    Args:
        views: [V,B,1,h,w], 0..1.
        padded: one per view, whether the photograph's border was continued outward; such a view counts for what it
            finds, not for what it misses.

    Returns:
        bool [B].
    """
    return contradiction(views, padded) > DISPUTED


def contradiction(views: Tensor, padded: Sequence[bool]) -> Tensor:
    """The share of the largest subject that any view sees in which views differ, rims left out.

    Args:
        views, padded: as for `disputed`.

    Returns:
        [B], 0..1.
    """
    frame = torch.stack([v for v, p in zip(views, padded) if not p or all(padded)])
    least, most = frame.amin(0), views.amax(0)
    apart = opening(most - least, _radius(views)).flatten(1).sum(1)
    return apart / most.flatten(1).sum(1).clamp(min=LITTLE * most[0].numel())


def _radius(views: Tensor) -> int:
    return max(round(WIDE * min(views.shape[-2:])), 1)
