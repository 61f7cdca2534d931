"""What hung on what was dropped goes with it: the twigs of a branch, when the branch is struck out."""

from __future__ import annotations

import torch
from torch import Tensor

from ..ops.connected_components import AT_HOME, components
from ..ops.morphology import largest

PART = 0.1  # alpha above which pixels belong together
GONE = 0.5  # alpha from which what is gone counts
RIM = 2  # pixels around a part that go with it


def without_hanging(alpha: Tensor, before: Tensor, keep: Tensor | None = None) -> Tensor:
    """A mask after strokes without the pieces that they left over.

    A piece is left over if it belonged to the part that was struck at and is cut off from the largest piece of it, is
    smaller than what is gone, and no stroke keeps it.

    Args:
        alpha: the mask after strokes [1,1,H,W], 0..1.
        before: the mask before them, same shape.
        keep: strokes that keep, same shape, 0 or 1, or None.

    Returns:
        [1,1,H,W]; alpha itself where nothing is left over.
    """
    if alpha.device.type not in AT_HOME:
        kept = None if keep is None else keep.cpu()
        return without_hanging(alpha.cpu(), before.cpu(), kept).to(alpha.device)
    gone = (before[0, 0] > GONE) & (alpha[0, 0] < PART)
    if not bool(gone.any()):
        return alpha
    old = components(before[0, 0] > PART, 8)
    struck = torch.zeros_like(gone)
    struck.view(-1)[old.pixels(old.touched(gone))] = True
    left = struck & (alpha[0, 0] > PART)
    pieces = components(left, 8)
    if pieces.count < 2:
        return alpha
    area = pieces.areas()
    hanging = area < gone.sum()
    hanging[area.argmax()] = False
    if keep is not None:
        hanging &= ~pieces.touched((keep[0, 0] > 0) & left)
    if not bool(hanging.any()):
        return alpha
    off = torch.zeros_like(gone)
    off.view(-1)[pieces.pixels(hanging)] = True
    stays = (alpha[0, 0] > PART) & ~off
    rim = (largest(off[None, None].float(), RIM)[0, 0] > 0) & ~stays
    return torch.where(rim, 0, alpha)
