"""Islands: find the connected parts of a soft mask, keep the subject's, drop the specks, fill small holes.

What is kept is decided by how many pixels a part has, how far it reaches, and how sure the mask is of it; never by
the area of its outline, which is zero for a strand one pixel wide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import check_alpha
from ..errors import InputError
from ..ops.connected_components import AT_HOME, components
from ..ops.morphology import largest
from ..ops.opencv import opencv
from .holes import fill_holes

SLENDER = 8.0  # reach^2 per pixel from which a part is a strand: a disc has 1.3, a square 2, a 1 px line its length
STRING = 30.0  # the same, from which it is one even where it is faint
BESIDE = 0.1  # of the largest part's pixels, up to which another is small beside it
FAINT, SURE = 0.5, 0.85  # mean alpha: under the first a part is in doubt, from the second the largest is not


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
    islands: str = "subject",
) -> tuple[Tensor, list[IslandReport]]:
    """Zero the parts of `alpha` that are not the subject.

    Parts are 8-connected regions of alpha > threshold. What is at or under the threshold belongs to no part: it goes,
    except beside a part that stays (2 pixels), so that soft edges keep their ends. A part stays if its peak reaches
    `min_peak` and it is large (`min_area`), or slender (reach^2 over pixel count at least 8) and far (`min_reach`): a
    detached hair, a string. A part that is small beside the largest (a tenth of it), no string, and on the mean less
    than half there goes too where the mask is sure of the largest: that is doubt about another thing, which would float
    there as a ghost. Where the largest is soft itself (a feather, a web) such parts are its structure.

    Args:
        alpha: [B,1,H,W], 0..1.
        threshold: 0 or more and below 1.
        min_area: share of the picture's pixels, 0..1.
        min_reach: of a slender part: the diagonal of its bounding box, as a share of the picture's, 0..1.
        min_peak: 0..1.
        max_hole: 4-connected regions at or under the threshold inside the subject with at most this share of the
            picture's pixels become 1, with their soft rims (holes.py; 0 fills none).
        islands: "subject" as above; "largest" keeps only the part with the most pixels; "all" keeps every part.

    Returns:
        The new mask (same dtype and device) and one report per mask.

    Raises:
        InputError: no mask, or a setting out of range.
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
    if islands not in ("subject", "largest", "all"):
        raise InputError(f"islands must be subject, largest or all; got {islands!r}")
    planes, reports = [], []
    for plane in alpha.detach()[:, 0]:
        plane = plane.float().contiguous()
        plane = plane if plane.device.type in AT_HOME else plane.cpu()
        plane, report = _one(plane, threshold, min_area, min_reach, min_peak, max_hole, islands)
        planes.append(plane)
        reports.append(report)
    return torch.stack(planes)[:, None].to(alpha.device, alpha.dtype), reports


def _one(
    alpha: Tensor, threshold: float, min_area: float, min_reach: float, min_peak: float, max_hole: float, keep: str
) -> tuple[Tensor, IslandReport]:
    height, width = alpha.shape
    inside = alpha > threshold
    parts = components(inside, 8)
    area = parts.areas().double()
    if keep == "all":
        stays = torch.ones_like(area, dtype=torch.bool)
    elif keep == "largest":
        stays = torch.zeros_like(area, dtype=torch.bool)
        if parts.count:
            stays[area.argmax()] = True
    else:
        left, top, right, bottom = parts.boxes()
        reach2 = (right - left).double() ** 2 + (bottom - top).double() ** 2
        large = area >= min_area * height * width
        strand = (reach2 >= SLENDER * area) & (reach2 >= min_reach**2 * (height**2 + width**2))
        stays = large | strand
        if min_peak > threshold:
            stays &= parts.touched(alpha >= min_peak)
        ghosts = stays & (area <= BESIDE * area.amax()) & (reach2 < STRING * area) if parts.count else stays
        if ghosts.any():
            sums = torch.zeros_like(area).index_add_(0, parts.of_pixels(), alpha[inside].double())
            if sums[area.argmax()] >= SURE * area.amax():
                stays &= ~(ghosts & (sums < FAINT * area))
    removed = parts.count - int(stays.sum())
    if removed or keep != "all":
        gone = parts.pixels(~stays)
        inside.view(-1)[gone] = False
        near = _grown(inside)  # the ends of soft edges, under the threshold
        near.view(-1)[gone] = False
        alpha = torch.where(near, alpha, 0)
    filled = 0
    if max_hole > 0:
        alpha, filled = fill_holes(alpha, threshold, max_hole * height * width)
    return alpha, IslandReport(parts.count, removed, filled)


def _grown(mask: Tensor) -> Tensor:
    """A bool mask [H,W] and what is within two pixels of it, in a square."""
    cv2 = opencv() if mask.device.type == "cpu" else None
    if cv2:
        return torch.from_numpy(cv2.dilate(mask.view(torch.uint8).numpy(), np.ones((5, 5), np.uint8))).view(torch.bool)
    if mask.device.type == "cpu":
        return largest(mask[None, None].byte(), 2)[0, 0].bool()
    return F.max_pool2d(mask[None, None].half(), 5, 1, 2)[0, 0] > 0
