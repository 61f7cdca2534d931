"""How several views of one photograph become one answer: which parts of which view to believe.

Averaging views is nearly useless: where the network errs it mostly misses subject, so one view sees a body and the
others dim it. Taking the largest answer everywhere finds the bodies and keeps every false alarm. `regions` decides by
region instead of by pixel, in the manner of hysteresis thresholding (Canny, PAMI 1986: what touches the sure is kept):

    agreed    what more than half of the views of the whole frame see (their lower median)
    union     the largest answer of the views of the whole frame; later the larger of it and cut times beyond
    cut       0..1, how far the agreed subject, with the regions that it carries, reaches the frame's border
    beyond    the mean of the views with a continued border; one alone counts only where union is not sure of nothing
    believed  of each connected region of union: the agreed share of it (`support`), as a soft yes or no
    fine      the views of the whole frame with the most detail: they decide the edge

    out = fine where it differs from agreed by narrow rims only, else agreed
    out = out + belonging * believed * (union - out), again without narrow rims (`belonging`: protruding.py)

Views with a continued border are there for subjects that the frame cuts off. Beside such a subject they find what the
others miss; around a whole one they add little but false alarms, so cut admits them. Now and then such a view takes the
surroundings for the subject, so one of two does not suffice (their mean), nor one against all others. The same cut
lowers the support asked of a region, since a subject cut off by the frame is the one that the views of the whole frame
tend to miss.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import InputError
from ..ops.connected_components import components
from ..ops.median import lower_median
from ..ops.morphology import opening
from .protruding import belonging

METHODS = ("mean", "max", "regions", "majority")

SUPPORT = (0.3, 0.5)  # agreed share of a region: at the first it is dropped, at the second believed
SUPPORT_CUT = 0.35  # taken off both where the subject is cut off by the frame
CUT = (0.01, 0.05)  # mean of the mask along the frame's border: a whole subject, a cut one
NOTHING = (0.003, 0.006)  # largest answer of the frame's views: up to the first they are sure that there is nothing
WIDE = 1 / 128  # of the grid's side: differences that an opening of this radius removes are edges, not bodies
SOLID = 0.65  # in a believed region, a wide area at or above this is body


def combine(views: Tensor, how: str, sizes: Sequence[int] = (), padded: Sequence[bool] = ()) -> Tensor:
    """Several views as one answer.

    Args:
        views: probabilities [V,B,1,h,w] on one grid.
        how: one of METHODS.
        sizes: for "regions", one per view: how many pixels of the network's input show the photograph's side (default:
            equal).
        padded: for "regions", one per view: whether the photograph's border was continued outward (default: nowhere).

    Returns:
        [B,1,h,w], 0..1.

    Raises:
        InputError: another word, or numbers of views that do not fit.
    """
    if how not in METHODS:
        raise InputError(f"views are combined by one of {', '.join(METHODS)}; got {how!r}")
    if views.ndim != 5 or len(views) == 0:
        raise InputError(
            f"views must be [views, batch, 1, height, width] with at least one view; got {tuple(views.shape)}"
        )
    for name, given in (("sizes", sizes), ("padded", padded)):
        if len(given) not in (0, len(views)):
            raise InputError(f"{name} has {len(given)} entries for {len(views)} views; give one per view")
    if how == "mean" or len(views) == 1:
        return views.mean(0)
    if how == "max":
        return views.amax(0)
    if how == "majority":
        return majority(views)
    sizes, padded = sizes or [1] * len(views), padded or [False] * len(views)
    if all(padded):
        padded = [False] * len(views)
    frame = [i for i, p in enumerate(padded) if not p]
    beyond = [i for i, p in enumerate(padded) if p]
    finest = max(sizes[i] for i in frame)

    def some(which: list[int]) -> Tensor:
        return torch.stack([views[i] for i in which])  # a list as an index would have to go to the device first

    fine, whole = some([i for i in frame if sizes[i] == finest]).mean(0), some(frame)
    if not beyond:
        return regions(whole, None, fine)
    outer = some(beyond).mean(0)
    if len(beyond) == 1:
        outer = outer * ((whole.amax(0) - NOTHING[0]) / (NOTHING[1] - NOTHING[0])).clamp(0, 1)
    return regions(whole, outer, fine)


def regions(frame: Tensor, beyond: Tensor | None, fine: Tensor) -> Tensor:
    """The rule at the head of this file.

    Args:
        frame: views of the whole frame [V,B,1,h,w], 0..1.
        beyond: what the views with a continued border say together [B,1,h,w], or None.
        fine: [B,1,h,w].

    Returns:
        [B,1,h,w], 0..1.
    """
    radius = max(round(WIDE * min(fine.shape[-2:])), 1)
    agreed, union = lower_median(frame), frame.amax(0)
    cut = torch.zeros_like(fine[:, :, :1, :1])
    if beyond is not None:
        cut = cut_off(agreed, radius)
        carried = agreed + support(agreed, union, cut) * (union - agreed)
        cut = cut_off(carried, radius)
        union = torch.maximum(union, cut * beyond)
    believed = support(agreed, union, cut)
    out = fine + _wide(agreed - fine, radius) - _wide(fine - agreed, radius)
    more = out + believed * _wide(union - out, radius)
    more = more + believed * _wide((more / SOLID).clamp(max=1) - more, radius)
    return out + belonging(more - out, out, frame) * (more - out)


def majority(views: Tensor) -> Tensor:
    """The first view, but where more than half of all views say otherwise together, over more than a narrow rim.

    For networks that the constants of `regions` were not found with: where the views agree nothing is changed, to the
    bit, nor where one stands against another; each body that comes or goes has most of the views behind it.

    Args:
        views: [V,B,1,h,w], 0..1, the first as the network's authors would show the photograph.

    Returns:
        [B,1,h,w], 0..1.
    """
    first, ordered, count = views[0], views.sort(0).values, len(views)
    radius = max(round(WIDE * min(first.shape[-2:])), 1)
    # of an even number the lower of the middle two may add, and the upper may take away: half is no majority
    more, less = _wide(ordered[(count - 1) // 2] - first, radius), _wide(first - ordered[count // 2], radius)
    return first + more - less


def cut_off(alpha: Tensor, width: int) -> Tensor:
    """Whether the frame cuts the subject off: the mean of alpha in a strip along the border, on the scale CUT.

    Args:
        alpha: [B,1,h,w], 0..1.
        width: of the strip, in cells.

    Returns:
        [B,1,1,1], 0..1.
    """
    inner = alpha[..., width:-width, width:-width]
    strip = alpha[0, 0].numel() - inner[0, 0].numel()
    mean = (alpha.sum((-1, -2), keepdim=True) - inner.sum((-1, -2), keepdim=True)) / strip
    return ((mean - CUT[0]) / (CUT[1] - CUT[0])).clamp(0, 1)


def support(agreed: Tensor, union: Tensor, cut: Tensor) -> Tensor:
    """How far the 8-connected region of union > 0.5 around each cell is believed. A region's share is the sum of
    `agreed` over the sum of `union` in it.

    Args:
        agreed, union: [B,1,h,w], 0..1.
        cut: [B,1,1,1], 0..1.

    Returns:
        [B,1,h,w], 0..1; 0 outside regions.
    """
    if union.device.type != "cpu":  # some hundred steps on a small grid: a GPU would wait for each to be started
        return support(agreed.cpu(), union.cpu(), cut.cpu()).to(union.device)
    out = []
    for a, u, c in zip(agreed[:, 0], union[:, 0], cut.flatten()):
        seen = u > 0.5
        parts = components(seen, 8)
        number = parts.of_pixels()
        share = _sums(a[seen], number, parts.count) / _sums(u[seen], number, parts.count)
        low, high = SUPPORT[0] - SUPPORT_CUT * c, SUPPORT[1] - SUPPORT_CUT * c
        believed = torch.zeros_like(u)
        believed[seen] = ((share.to(c.dtype) - low) / (high - low)).clamp(0, 1)[number]
        out.append(believed)
    return torch.stack(out)[:, None]


def _sums(values: Tensor, number: Tensor, count: int) -> Tensor:
    """Sums of values 0..1 by number, in whole multiples of 2^-24: exact in any order, so the same on every device."""
    whole = (values.float() * 2**24).round().long()
    return whole.new_zeros(count).index_add_(0, number, whole).double()


def _wide(difference: Tensor, radius: int) -> Tensor:
    """The positive part of a difference [B,1,h,w] less what is narrower than 2*radius+1."""
    return opening(difference.clamp(min=0), radius)
