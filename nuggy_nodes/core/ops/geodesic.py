"""Geodesic distance on a picture: how far a pixel is along the shortest path, on which changes of colour count as way
(Bai and Sapiro, "A Geodesic Framework for Fast Interactive Image and Video Segmentation and Matting", ICCV 2007)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

NEIGHBOURS = ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1))


def geodesic(picture: Tensor, seed: Tensor, contrast: float, reach: float) -> Tensor:
    """Distance from a seed, in pixels of the picture.

    A step to one of the eight neighbours is as long as it is, and longer by contrast * |difference of colour|. All
    pixels relax at once, a step a round; as many rounds as the reach is long find every path within it.

    Args:
        picture: [C,h,w], any unit.
        seed: bool [h,w].
        contrast: pixels for a difference of colour of 1; 0 or more.
        reach: pixels; distances above it may come out too large.

    Returns:
        [h,w] float32; infinite where no path was found.
    """
    h, w = seed.shape
    around = torch.full((h + 2, w + 2), torch.inf, device=seed.device)
    distance = around[1:-1, 1:-1]
    distance[seed] = 0
    padded = F.pad(picture[None].float(), (1, 1, 1, 1), mode="replicate")[0]
    steps = []
    for dy, dx in NEIGHBOURS:
        rows, columns = slice(1 + dy, 1 + dy + h), slice(1 + dx, 1 + dx + w)
        change = (padded[:, rows, columns] - picture).norm(dim=0)
        steps.append((around[rows, columns], (dy * dy + dx * dx) ** 0.5 + contrast * change))
    for done in range(1, min(int(reach) + 1, h * w) + 1):
        before = distance.clone() if done % 8 == 0 else None
        for neighbour, way in steps:
            torch.minimum(distance, neighbour + way, out=distance)
        if before is not None and torch.equal(before, distance):
            break
    return distance.clone()
