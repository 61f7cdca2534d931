"""What strokes say of a mask: which part of the photograph each one means.

A small network (stroke_network), trained on simulated strokes over photographs and composites, tells what the mask
should be; it sees the subject and the strokes with their surroundings on a grid of GRID cells, whatever the
photograph's size. Of what it would change, only regions that a stroke against the mask touches are taken, and a stroke
that says nothing new changes nothing. What the mask was all but sure of, or now is, changes whole; where both are open,
as where fine structure is averaged in a cell, its cells are raised or lowered and its structure stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..ops.connected_components import components
from ..ops.morphology import largest
from ..ops.resample import enlarge, resample
from .stroke_features import Stroke, features
from .stroke_network import Spreader, load_spreader, logits_of

GRID = 160  # cells along the longer side of what is seen
AROUND, REACHED = 0.25, 1.5  # of the subject's side, and of a stroke's, seen on each side of it
SMALLEST = 0.1  # of the photograph's longer side: a subject or a stroke counts as at least this large
SEEN = 0.1  # a mask from here on belongs to what is seen
AGAINST = 0.4  # a stroke that differs from the mask by this says something new
MARKED = 0.4  # share of a cell that makes it a stroke's
OPEN = 0.1  # a mask farther than this from 0 and 1 is raised or lowered, not replaced; a change by more is one
RIM = 2  # cells around a change in which the mask may follow


@dataclass(frozen=True)
class Spread:
    """What strokes change: window (top, bottom, left, right) in pixels; on its grid [1,1,h,w] `added` and `taken`, 0 or
    1, what becomes subject and background; `change`, -1..1, by how much the mask rises or falls in them and their rims;
    `whole`, 0 or 1, where it changes whole."""

    window: tuple[int, int, int, int]
    added: Tensor
    taken: Tensor
    change: Tensor
    whole: Tensor


def spread(
    image: Tensor,
    mask: Tensor,
    keep: Tensor | None,
    drop: Tensor | None,
    learnt: Callable[[], Tensor | None] | None = None,
    network: Spreader | None = None,
) -> Spread | None:
    """Where the strokes change the mask of one photograph.

    Args:
        image: [1,3,H,W], 0..1.
        mask: [1,1,H,W], 0..1.
        keep, drop: [1,1,H,W], 0 or 1, or None.
        learnt: gives what the segmentation network made of the whole photograph (stroke_network.Spreader.learnt), or
            None; it is asked only where a stroke says something new.
        network: another one than the shipped.

    Returns:
        What changes, on the mask's device; None where no stroke says anything that the mask does not.

    Raises:
        WeightsError: the shipped network is missing or damaged.
    """
    window = top, bottom, left, right = _window(mask, keep, drop)
    here = (..., slice(top, bottom), slice(left, right))
    height, width = bottom - top, right - left
    scale = min(GRID / max(height, width), 1.0)
    size = (max(round(height * scale), 1), max(round(width * scale), 1))
    small = resample(image[here].float(), size)[0].cpu()
    p = resample(mask[here].float(), size)[0, 0].clamp(0, 1).cpu()
    strokes, against = _strokes(keep, drop, here, p)
    if not any(bool(a.any()) for a in against):
        return None
    network = network or load_spreader()
    maps = learnt() if learnt else None
    near = None if maps is None else _part(maps.float().cpu(), window, mask.shape[-2], mask.shape[-1])
    with torch.inference_mode():
        found = _mirrored_too(network, features(small, p, strokes), logits_of(p)[None, None], near).sigmoid()[0, 0]
    added = _touched(_risen(p, found) | against[0], against[0])
    taken = _touched(_risen(1 - p, 1 - found) | against[1], against[1])
    rise, fall = (largest(side[None, None].float(), RIM) for side in (added, taken))
    change = (found - p)[None, None]
    change = torch.where(rise >= fall, change.clamp(min=0), change.clamp(max=0)) * torch.maximum(rise, fall)
    whole = (added & ((p < OPEN) | (found > 1 - OPEN))) | (taken & ((p > 1 - OPEN) | (found < OPEN)))
    planes = (added[None, None].float(), taken[None, None].float(), change, whole[None, None].float())
    return Spread(window, *(plane.to(mask.device) for plane in planes))


def _risen(before: Tensor, after: Tensor) -> Tensor:
    """What is more subject than not afterwards, and was not, or is so by over OPEN more."""
    return (after > 0.5) & ((before <= 0.5) | (after - before > OPEN))


def _mirrored_too(network: Spreader, seen: Tensor, start: Tensor, near: Tensor | None) -> Tensor:
    """The mean of the logits that the network gives of a photograph and of its mirror image: what it makes up by chance
    of one is seldom in the other."""
    shown = ((seen, start, near), (seen.flip(-1), start.flip(-1), None if near is None else near.flip(-1)))
    one, other = (network(*s) for s in shown)
    return torch.lerp(one, other.flip(-1), 0.5)


def changed(alpha: Tensor, spread: Spread) -> Tensor:
    """A window's mask after its strokes, edges as coarse as the grid.

    Args:
        alpha: the window's [1,1,h,w], 0..1.
        spread: what changes.

    Returns:
        [1,1,h,w], 0..1.
    """
    more, less, change, whole = (
        enlarge(x, *alpha.shape[-2:]) for x in (spread.added, spread.taken, spread.change, spread.whole)
    )
    return torch.lerp((alpha + change).clamp(0, 1), (alpha + more).clamp(max=1) * (1 - less), whole)


def _window(mask: Tensor, keep: Tensor | None, drop: Tensor | None) -> tuple[int, int, int, int]:
    """The subject and the strokes with their surroundings: top, bottom, left, right."""
    height, width = mask.shape[-2:]
    scale = min(GRID / max(height, width), 1.0)
    size = (max(round(height * scale), 1), max(round(width * scale), 1))
    seen = _extents((mask > SEEN).float(), size)
    if len(seen):
        seen = torch.stack((seen[:, 0].amin(), seen[:, 1].amax(), seen[:, 2].amin(), seen[:, 3].amax()))[None]
        seen = _grown(seen, AROUND, SMALLEST * max(size))
    marks = [_extents(plane, size) for plane in (keep, drop) if plane is not None]
    every = torch.cat([seen, *(_grown(m, REACHED, SMALLEST * max(size)) for m in marks)]) / scale
    top, bottom = max(int(every[:, 0].amin()), 0), min(int(every[:, 1].amax()), height)
    left, right = max(int(every[:, 2].amin()), 0), min(int(every[:, 3].amax()), width)
    return top, bottom, left, right


def _extents(plane: Tensor, size: tuple[int, int]) -> Tensor:
    """The connected parts of a plane on a grid: top, bottom, left, right, [N,4] in cells."""
    parts = components(resample(plane.float(), size)[0, 0].cpu() > 0, 8)
    left, top, right, bottom = parts.boxes()
    return torch.stack((top, bottom, left, right), 1).float()


def _grown(extents: Tensor, share: float, least: float) -> Tensor:
    """Extents with `share` of their longer sides, or of `least`, on every side."""
    sides = torch.maximum(extents[:, 1] - extents[:, 0], extents[:, 3] - extents[:, 2]).clamp(min=least)
    return extents + share * sides[:, None] * torch.tensor([-1.0, 1.0, -1.0, 1.0])


def _strokes(
    keep: Tensor | None, drop: Tensor | None, here: tuple[object, ...], p: Tensor
) -> tuple[Sequence[Stroke], tuple[Tensor, Tensor]]:
    """The strokes on the grid, and the cells of those against the mask, of those that keep and of those that drop."""
    strokes: list[Stroke] = []
    against = torch.zeros_like(p, dtype=torch.bool), torch.zeros_like(p, dtype=torch.bool)
    kept = None
    for keeps, plane in ((True, keep), (False, drop)):
        if plane is None or not bool(plane[here].any()):  # type: ignore[index]
            continue
        share = resample(plane[here].float(), (p.shape[0], p.shape[1]))[0, 0].cpu()  # type: ignore[index]
        cells = share > 0
        if kept is not None:
            cells &= ~kept  # a cell that both touch is the former's
        parts = components(cells, 8)
        for i in range(parts.count):
            which = torch.zeros(parts.count, dtype=torch.bool)
            which[i] = True
            at = parts.pixels(which)
            at = at[share.flatten()[at] >= min(MARKED, float(share.flatten()[at].amax()))]  # none is lost whole
            own = torch.zeros_like(cells)
            own.view(-1)[at] = True
            strokes.append((keeps, own))
            if float((p.flatten()[at] - float(keeps)).abs().mean()) >= AGAINST:
                against[0 if keeps else 1].view(-1)[at] = True
        kept = cells
    return strokes, against


def _part(learnt: Tensor, window: tuple[int, int, int, int], height: int, width: int) -> Tensor:
    """The window's part of maps [1,C,m,n] of a whole photograph, on as many cells."""
    (top, bottom, left, right), (rows, columns) = window, learnt.shape[-2:]
    y = ((torch.arange(rows) + 0.5) / rows * (bottom - top) + top) / height * 2 - 1
    x = ((torch.arange(columns) + 0.5) / columns * (right - left) + left) / width * 2 - 1
    places = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)[None]
    return torch.nn.functional.grid_sample(learnt, places, padding_mode="border", align_corners=False)


def _touched(regions: Tensor, stroke: Tensor) -> Tensor:
    """The 8-connected regions, bool [h,w], that have a pixel of the stroke."""
    if not bool(stroke.any()):
        return torch.zeros_like(regions)
    parts = components(regions, 8)
    out = torch.zeros_like(regions)
    out.view(-1)[parts.pixels(parts.touched(stroke & regions))] = True
    return out
