"""What a closer look may change of a mask: it may sharpen, and nothing else.

It sees a part of the photograph, or the whole with other eyes, and may take another thing for the subject. So
- it counts only within NEAR cells of a cell that the looks before left undecided (`undecided`);
- there it counts as far as it agrees with them on what they were sure of in the surroundings (`agreement`), whatever
  the rest of it says;
- it makes no body of what was faint and no hole in what was all but sure (`sharpened`);
- what it brings must touch what was there: a piece that floats free goes back to what it was (`attached`).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..ops.box_filter import box_mean
from ..ops.connected_components import AT_HOME, components
from ..ops.morphology import largest, opening

SURE = 0.05  # alpha this close to 0 or 1 is decided
NEAR = 12  # cells around an undecided one in which a look counts
AROUND = 48  # cells: the surroundings in which a look must agree
WRONG = (0.1, 0.3)  # mean difference from what was sure: up to the first it is believed, from the second it is not
BODY = 0.5  # alpha from which a cell belongs to a piece
WIDE = 1 / 128  # of the grid's side: what an opening of this radius keeps is no edge (as in consensus)
FAINT = (0.2, 0.45)  # alpha: up to the first a wide area is not raised, from the second it is; mirrored for lowering


def undecided(before: Tensor) -> Tensor:
    """Where a look counts.

    Args:
        before: a mask [1,1,n,n], 0..1.

    Returns:
        1 within NEAR cells of a cell that is not decided, else 0; same shape.
    """
    return largest(((before > SURE) & (before < 1 - SURE)).float(), NEAR)


def sharper(seen: Tensor, before: Tensor, near: Tensor) -> Tensor:
    """A mask after a closer look.

    Args:
        seen: what the look shows, [1,1,n,n], 0..1; `before` where it was not taken.
        before: the mask of the looks before, same shape.
        near: of `undecided`.

    Returns:
        `before`, but for places near its undecided ones; same shape.
    """
    edge = F.avg_pool2d(near, 9, 1, 4, count_include_pad=False) * near
    found = torch.lerp(before, seen, edge * agreement(seen, before))
    return attached(sharpened(found, before), before)


def agreement(seen: Tensor, before: Tensor) -> Tensor:
    """How far a look agrees with the looks before on what they were sure of, around each cell.

    Args:
        seen, before: masks [1,1,n,n], 0..1.

    Returns:
        0..1, same shape: the mean difference over sure cells within AROUND cells, subject and background apart and the
        worse of the two, on the scale WRONG. Where nothing around was sure, it is believed.
    """
    trust = torch.ones_like(before)
    for sure in (before > 1 - SURE, before < SURE):
        count = box_mean(sure.float(), AROUND)
        wrong = box_mean((seen - before).abs() * sure, AROUND) / count.clamp(min=1e-4)
        trust = torch.minimum(trust, ((WRONG[1] - wrong) / (WRONG[1] - WRONG[0])).clamp(0, 1))
    return trust


def sharpened(found: Tensor, before: Tensor) -> Tensor:
    """`found`, but wide areas of `before` that were faint (FAINT) are not raised, and wide ones as near to sure are not
    lowered: a second flower stays as faint, a tyre as solid, as the whole photograph had it.

    Args:
        found, before: masks [1,1,n,n], 0..1.

    Returns:
        0..1, same shape.
    """
    radius, (low, high) = max(round(WIDE * found.shape[-1]), 1), FAINT
    raised, lowered = (found - before).clamp(min=0), (before - found).clamp(min=0)
    raised = raised - opening(raised, radius) * ((high - before) / (high - low)).clamp(0, 1)
    lowered = lowered - opening(lowered, radius) * ((before - 1 + high) / (high - low)).clamp(0, 1)
    return (before + raised - lowered).clamp(0, 1)


def attached(found: Tensor, before: Tensor) -> Tensor:
    """`found`, but pieces of it (8-connected, above BODY) that touch nothing of `before` above BODY are as they were.

    Args:
        found, before: masks [1,1,n,n], 0..1.

    Returns:
        0..1, same shape.
    """
    if found.device.type not in AT_HOME:
        return attached(found.cpu(), before.cpu()).to(found.device)
    body = found[0, 0] > BODY
    parts = components(body, 8)
    if not parts.count:
        return found
    held = parts.touched(body & (before[0, 0] > BODY))
    loose = torch.zeros_like(body)
    loose.view(-1)[parts.pixels(~held)] = True
    loose = largest(loose[None, None].float(), 2) > 0  # with its soft rim
    return torch.where(loose, torch.minimum(found, before), found)
