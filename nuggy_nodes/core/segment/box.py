"""Boxes: the subject lies in one of them, and the network is shown each with some of its surroundings.

A box's own view lacks the whole, the whole view lacks the box: they are weighed as consensus weighs views, what the
whole frame says, cut to the box, twice, and the box's view once, which counts beyond them in regions that they carry.
Where both say the same the mask stays as it was, cut to the box.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..network.protocol import AnyNetwork
from ..ops.morphology import largest
from ..ops.resample import enlarge, resample
from .consensus import regions
from .guidance import Box
from .predict import predict
from .views import View

SURROUNDINGS = 0.15  # of the box, shown on each side of it
VIEW = View(768)
GRID = 512  # cells along the longer side on which views are weighed
CHANGES = 4.0  # a change of a quarter counts whole
NEAR = 3  # cells around a change that are found anew


def seen_in_boxes(network: AnyNetwork, image: Tensor, boxes: Sequence[Box]) -> Tensor:
    """What the network says of boxes of a photograph: the largest answer.

    Args:
        network: that is asked.
        image: [1,3,H,W], 0..1.
        boxes: in pixels of the photograph.

    Returns:
        [1,1,h,w] on the grid, 0..1; 0 outside boxes and surroundings.
    """
    height, width = image.shape[-2:]
    out = torch.zeros(1, 1, *_grid(height, width), device=image.device)
    scale = out.shape[-2] / height, out.shape[-1] / width
    for x, y, w, h in boxes:
        top, bottom = max(int(y - SURROUNDINGS * h), 0), min(int(y + h * (1 + SURROUNDINGS)) + 1, height)
        left, right = max(int(x - SURROUNDINGS * w), 0), min(int(x + w * (1 + SURROUNDINGS)) + 1, width)
        found = predict(network, image[..., top:bottom, left:right], (VIEW,))
        first, start = int(top * scale[0]), int(left * scale[1])
        last = min(max(round(bottom * scale[0]), first + 1), out.shape[-2])
        end = min(max(round(right * scale[1]), start + 1), out.shape[-1])
        place = out[..., first:last, start:end]
        place.copy_(torch.maximum(place, enlarge(found, last - first, end - start).clamp(0, 1)))
    return out


def weighed(alpha: Tensor, inside: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """A mask and the boxes' views, weighed inside boxes.

    Args:
        alpha: the mask [1,1,H,W], 0..1.
        inside: 0 or 1, [1,1,H,W].
        seen: `seen_in_boxes`, [1,1,h,w].

    Returns:
        The answer [1,1,h,w] on the grid, and how far it changes alpha, 0..1.
    """
    size = (seen.shape[-2], seen.shape[-1])
    cut = resample(alpha * inside, size)
    own = seen * resample(inside, size)
    found = regions(torch.stack([cut, cut, own]), own, cut)
    changed = largest(((found - cut).abs() * CHANGES).clamp(max=1), NEAR)
    return found, changed


def inside_boxes(boxes: Sequence[Box], like: Tensor) -> Tensor:
    """1 inside one of the boxes, else 0.

    Args:
        boxes: in pixels of the photograph.
        like: [1,1,H,W].

    Returns:
        A tensor like `like`.
    """
    inside = torch.zeros_like(like)
    for x, y, width, height in boxes:
        inside[..., int(y) : round(y + height), int(x) : round(x + width)] = 1
    return inside


def _grid(height: int, width: int) -> tuple[int, int]:
    scale = min(GRID / max(height, width), 1.0)
    return max(round(height * scale), 1), max(round(width * scale), 1)
