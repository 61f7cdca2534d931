"""What a region of the union brings beside what the views agree on, piece by piece: the subject's, or another thing's.

A region is believed as a whole (consensus.support), so a thing behind the subject that touches it would come with it: a
passer-by at a shoulder, a wall behind an arm. A piece counts as another thing if three things hold together, each by
degrees: a view of the whole frame plainly denies it (DENIED), it is small beside the subject (SMALL), and it sticks
out: less than half of what surrounds it is subject (HELD). The photograph's border counts as subject here, since what
the frame cuts off goes on behind it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..ops.connected_components import components
from ..ops.morphology import largest

PIECE = 0.15  # added alpha from which a cell belongs to a piece
LEAST = 1 / 1400  # of the grid's cells: smaller pieces are left as they are
DENIED = (0.15, 0.25)  # mean of the view that sees least of it: denied up to the first, not from the second on
SMALL = (0.25, 0.35)  # of the subject's cells: small up to the first
HELD = (0.45, 0.65)  # share of the ring around it that is subject: it sticks out up to the first
RING = (2, 6)  # cells from the piece: between these lies the ring


def belonging(added: Tensor, out: Tensor, frame: Tensor) -> Tensor:
    """How far each piece of what is added belongs to the subject.

    Args:
        added: what is to be added to `out` [B,1,h,w], 0..1.
        out: what is subject without it [B,1,h,w], 0..1.
        frame: views of the whole frame [V,B,1,h,w], 0..1.

    Returns:
        [B,1,h,w], 0..1; 1 outside pieces.
    """
    if added.device.type != "cpu":  # many steps on a small grid, as consensus.support
        return belonging(added.cpu(), out.cpu(), frame.cpu()).to(added.device)
    weight = torch.ones_like(added)
    for i in range(len(added)):
        _weigh(weight[i, 0], added[i, 0], out[i, 0], frame[:, i, 0])
    return weight


def _weigh(weight: Tensor, added: Tensor, out: Tensor, frame: Tensor) -> None:
    parts = components(added > PIECE, 8)
    areas, subject = parts.areas(), float((added + out).sum())
    for i in (areas >= max(LEAST * added.numel(), 1)).nonzero()[:, 0].tolist():
        small = _falling(float(areas[i]) / subject, SMALL)
        if not small:
            continue
        which = torch.zeros(parts.count, dtype=torch.bool)
        which[i] = True
        at = parts.pixels(which)
        denied = _falling(float(frame.flatten(1)[:, at].mean(1).amin()), DENIED)
        if not denied:
            continue
        piece = torch.zeros_like(added)
        piece.view(-1)[at] = 1
        away = denied * small * _falling(_held(piece, out), HELD)
        near = (largest(piece[None, None], RING[0])[0, 0] > 0) & ((added <= PIECE) | (piece > 0))  # with its soft rim
        weight[near] = torch.minimum(weight[near], torch.tensor(1 - away))


def _held(piece: Tensor, out: Tensor) -> float:
    """The share of a ring around a piece [h,w], 0 or 1, that is subject; what lies beyond the border counts as such."""
    inner, outer = (largest(piece[None, None], r)[0, 0] for r in RING)
    ring = (outer - inner) > 0
    beyond = (RING[1] - RING[0]) * float(piece[0].sum() + piece[-1].sum() + piece[:, 0].sum() + piece[:, -1].sum())
    return (float((out[ring] > 0.5).sum()) + beyond) / max(float(ring.sum()) + beyond, 1)


def _falling(value: float, scale: tuple[float, float]) -> float:
    """1 up to the first value of a scale, 0 from the second."""
    return min(max((scale[1] - value) / (scale[1] - scale[0]), 0.0), 1.0)
