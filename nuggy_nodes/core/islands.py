"""Islands: find the connected parts of a soft mask, keep the subject's, drop the specks, fill small holes.

What is kept is decided by how many pixels a part has, how far it reaches, and how sure the mask is of it; never by
the area of its outline, which is zero for a strand one pixel wide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .checks import check_alpha
from .errors import InputError

SLENDER = 8.0  # reach^2 per pixel from which a part is a strand: a disc has 1.3, a square 2, a 1 px line its length


@dataclass(frozen=True)
class IslandReport:
    """What `remove_islands` did to one mask: parts found, parts removed, holes filled."""

    found: int
    removed: int
    filled: int


def remove_islands(
    alpha: Tensor,
    threshold: float = 0.1,
    min_area: float = 0.002,
    min_reach: float = 0.02,
    min_peak: float = 0.5,
    max_hole: float = 0.0,
    keep: str = "subject",
) -> tuple[Tensor, list[IslandReport]]:
    """Zero the parts of `alpha` that are not the subject.

    alpha: [B,1,H,W], values 0..1. Parts are 8-connected regions of alpha > threshold (0 <= threshold < 1). What is at
    or under the threshold belongs to no part: it goes, except beside a part that stays (2 pixels), so that soft edges
    keep their ends. A part stays if its peak reaches `min_peak` and
      - it has at least `min_area` of the picture's pixels (a fraction, 0..1), or
      - it is slender (reach^2 over pixel count at least 8) and its reach, the diagonal of its bounding box, is at
        least `min_reach` of the picture's diagonal (a fraction, 0..1): a detached hair, a string.
    keep: "subject" as above; "largest" keeps only the part with the most pixels; "all" keeps every part.
    max_hole: 4-connected regions at or under the threshold inside the subject with at most this fraction of the
    picture's pixels become 1 (0 fills none).
    Returns the new mask (same dtype and device) and one report per mask. Raises InputError.
    """
    check_alpha(alpha)
    if not 0 <= threshold < 1:
        raise InputError(f"threshold must be at least 0 and below 1; got {threshold}")
    for name, value in (
        ("min_area", min_area),
        ("min_reach", min_reach),
        ("min_peak", min_peak),
        ("max_hole", max_hole),
    ):
        if not 0 <= value <= 1:
            raise InputError(f"{name} is a fraction from 0 to 1; got {value}")
    if keep not in ("subject", "largest", "all"):
        raise InputError(f"keep must be subject, largest or all; got {keep!r}")
    planes, reports = [], []
    for plane in alpha.detach().float().cpu()[:, 0].numpy():
        plane, report = _one(plane, threshold, min_area, min_reach, min_peak, max_hole, keep)
        planes.append(torch.from_numpy(plane))
        reports.append(report)
    return torch.stack(planes)[:, None].to(alpha.device, alpha.dtype), reports


def _one(
    alpha: np.ndarray, threshold: float, min_area: float, min_reach: float, min_peak: float, max_hole: float, keep: str
) -> tuple[np.ndarray, IslandReport]:
    import cv2

    height, width = alpha.shape
    inside = (alpha > threshold).view(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8, ltype=cv2.CV_32S)
    area = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
    if keep == "all":
        stays = np.ones(count, bool)
    elif keep == "largest":
        stays = np.zeros(count, bool)
        if count > 1:
            stays[1 + int(area[1:].argmax())] = True
    else:
        reach2 = (
            stats[:, cv2.CC_STAT_WIDTH].astype(np.float64) ** 2 + stats[:, cv2.CC_STAT_HEIGHT].astype(np.float64) ** 2
        )
        large = area >= min_area * height * width
        strand = (reach2 >= SLENDER * area) & (reach2 >= min_reach**2 * (height**2 + width**2))
        stays = large | strand
        if min_peak > threshold:
            sure = np.zeros(count, bool)
            sure[labels[alpha >= min_peak]] = True
            stays &= sure
    stays[0] = False
    removed = int(count - 1 - stays.sum())
    if removed == 0 and keep == "all":
        out = alpha.copy()
    else:
        kept = stays.view(np.uint8)[labels]
        near = cv2.dilate(kept, np.ones((5, 5), np.uint8))  # the ends of soft edges, under the threshold
        near[(inside > 0) & (kept == 0)] = 0
        out = np.where(near > 0, alpha, np.float32(0))
    filled = _fill_holes(out, threshold, max_hole * height * width) if max_hole > 0 else 0
    return out, IslandReport(int(count - 1), removed, filled)


def _fill_holes(alpha: np.ndarray, threshold: float, largest: float) -> int:
    """Set closed regions at or under the threshold, of at most `largest` pixels, to 1 in place; return how many."""
    import cv2

    _, labels, stats, _ = cv2.connectedComponentsWithStats((alpha <= threshold).view(np.uint8), connectivity=4)
    x, y, w, h = (stats[:, i] for i in (cv2.CC_STAT_LEFT, cv2.CC_STAT_TOP, cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT))
    enclosed = (x > 0) & (y > 0) & (x + w < alpha.shape[1]) & (y + h < alpha.shape[0])
    hole = enclosed & (stats[:, cv2.CC_STAT_AREA] <= largest)
    hole[0] = False
    if hole.any():
        alpha[hole[labels]] = 1.0
    return int(hole.sum())
