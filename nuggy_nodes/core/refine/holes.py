"""Holes: closed gaps inside the subject, filled together with their soft rims."""

from __future__ import annotations

import torch
from torch import Tensor

from ..ops.connected_components import components

LEVELS = (
    1 - 0.5 / 255,
    0.9,
    0.75,
    0.5,
    0.35,
    0.2,
)  # of alpha, up to which a rim may rise; the first is what eight bits store as 1
RIM = 1 / 32  # of the longer side: a rim's width at the most
LEAST_RIM = 32  # pixels


def fill_holes(alpha: Tensor, threshold: float, largest: float) -> tuple[Tensor, int]:
    """Fill what is closed and at or under the threshold.

    A hole's rim is what surrounds it under the highest of LEVELS at which the whole stays closed, within RIM, and holds
    nothing at or under the threshold but holes that are filled too. So a gap whose edge is soft leaves no ring, and a
    haze that a hole lies in is left as it is.

    Args:
        alpha: one mask [H,W] float32, 0..1.
        threshold: alpha up to which a pixel is of the background.
        largest: pixels at or under the threshold that a hole has at the most.

    Returns:
        The mask with holes and rims at 1, and how many holes there were.
    """
    height, width = alpha.shape
    parts = components(alpha <= threshold, 4)
    boxes = parts.boxes()
    left, top, right, bottom = boxes
    hole = (left > 0) & (top > 0) & (right < width) & (bottom < height) & (parts.areas() <= largest)
    count = int(hole.sum())
    if not count:
        return alpha, 0
    filled = alpha.clone()
    filled.view(-1)[parts.pixels(hole)] = 1.0
    margin = max(round(RIM * max(height, width)), LEAST_RIM)
    for x0, y0, x1, y1 in torch.stack(boxes, 1)[hole].tolist():
        rows = slice(max(y0 - margin, 0), y1 + margin)
        columns = slice(max(x0 - margin, 0), x1 + margin)
        before, after = alpha[rows, columns].cpu(), filled[rows, columns]
        within = (before <= threshold) & (after.cpu() == 1)
        inner = y0 - rows.start, y1 - rows.start, x0 - columns.start, x1 - columns.start
        rim = _rim(before, within, threshold, inner)
        if rim is not None:
            after[rim.to(after.device)] = 1.0
    return filled, count


def _rim(alpha: Tensor, holes: Tensor, threshold: float, inner: tuple[int, int, int, int]) -> Tensor | None:
    """The hole at `inner` (top, bottom, left, right) of a window [h,w], with its rim, bool; None where it has none.

    holes: bool, the window's pixels of holes that are filled.
    """
    top, bottom, left, right = inner
    around = (alpha <= threshold) & ~holes  # the background outside, and holes too large
    seed = torch.zeros_like(holes)
    seed[top:bottom, left:right] = holes[top:bottom, left:right]
    height, width = alpha.shape
    for level in LEVELS:
        if level <= threshold:
            break
        low = alpha < level
        parts = components(low, 4)
        x0, y0, x1, y1 = parts.boxes()
        closed = (x0 > 0) & (y0 > 0) & (x1 < width) & (y1 < height) & ~parts.touched(around & low)
        wanted = parts.touched(seed & low)
        if bool(wanted.any()) and bool(closed[wanted].all()):
            rim = torch.zeros_like(holes)
            rim.view(-1)[parts.pixels(wanted)] = True
            return rim
    return None
