"""A user as training has one: looks where a mask is wrong and draws a stroke in it, as long as about half of what is
meant."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from ..core.segment.stroke_features import Stroke
from .shapes import Bytes
from .strokes_matter import Floats

WRONG = 0.5  # a mask that differs by more than this from the truth is wrong
LEAST = 4  # cells: a user leaves smaller regions alone
LENGTH, THICK = 0.5, 0.01  # of the region's two standard deviations along; of the grid's longer side


def stroke(truth: Floats, mask: Floats, rng: np.random.Generator | None = None) -> Stroke | None:
    """The next stroke of a user who wants `truth` and sees `mask`, both [h,w], 0..1.

    It lies within the largest connected region in which they differ, along it, through its innermost cell. With rng one
    in five is for the second largest, and place, length, breadth and direction vary. None where the mask is right but
    for small regions.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats((np.abs(mask - truth) > WRONG).astype(np.uint8))
    order = 1 + stats[1:, cv2.CC_STAT_AREA].argsort(kind="stable")[::-1]
    second = rng is not None and rng.random() < 0.2 and count > 2
    if count < 2 or stats[order[int(second)], cv2.CC_STAT_AREA] < LEAST:
        return None
    region: Bytes = (labels == order[int(second)]).astype(np.uint8)
    depth = cv2.distanceTransform(np.pad(region, 1), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    at = int(depth.argmax())
    length, thick, turn = LENGTH, max(round(THICK * max(truth.shape)), 1), 0.0
    if rng is not None:
        if rng.random() < 0.4:
            at = int(rng.choice(np.nonzero(depth.ravel() >= 0.5 * depth.max())[0]))
        length = rng.uniform(0.3, 0.8) if rng.random() < 0.4 else length
        length = rng.uniform(0.8, 1.5) if rng.random() < 0.15 else length
        thick = int(rng.integers(1, 4)) if rng.random() < 0.7 else int(rng.integers(4, 18))
        turn = rng.normal(0, 0.3) if rng.random() < 0.3 else turn
    y, x = divmod(at, truth.shape[1])
    dx, dy = _along(region, length, turn)
    line = np.zeros_like(region)
    cv2.line(line, (round(x - dx), round(y - dy)), (round(x + dx), round(y + dy)), 1, thick)
    line &= region  # nobody draws on what is right
    line[y, x] = 1
    pieces = cv2.connectedComponents(line)[1]
    return bool(truth[y, x] > WRONG), torch.from_numpy(pieces == pieces[y, x])


def _along(region: Bytes, length: float, turn: float) -> tuple[float, float]:
    """x and y of `length` standard deviations of a region along its longer axis, turned by `turn` radians."""
    rows, columns = np.nonzero(region)
    spread, axes = np.linalg.eigh(np.cov(np.stack((columns, rows)).astype(np.float64)))
    far = length * np.sqrt(max(spread[-1], 1.0))
    x, y = axes[:, -1]
    return far * (x * np.cos(turn) - y * np.sin(turn)), far * (x * np.sin(turn) + y * np.cos(turn))
