"""Boxes: the subject lies in one of them, and the network is shown each with some of its surroundings.

A box's own view lacks the whole, the whole view lacks the box, and either may misread. So each box is shown twice, with
less and with more around it, the second mirrored. Where both views differ from the mask to the same side, the lesser of
the two differences is a vote, and two of three (consensus.regions) decide. A box says that there is a subject: its
views may take parts away that stand alone, but not most of it; and what they bring that is small beside it and sticks
out is another thing in the box, where the mask denies it (protruding.py). Where nothing is decided the mask stays as it
was, cut to the box.
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
from .protruding import belonging
from .views import View

LOOKS = ((0.15, View(768)), (0.4, View(768, flip=True)))  # of the box, shown on each side of it; in which view
MOST = 0.2  # of the subject, that may be taken away
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
        [2,1,h,w] on the grid, one of LOOKS each, 0..1; 0 outside boxes and surroundings.
    """
    height, width = image.shape[-2:]
    out = torch.zeros(len(LOOKS), 1, *_grid(height, width), device=image.device)
    scale = out.shape[-2] / height, out.shape[-1] / width
    for look, (around, view) in zip(out, LOOKS):
        for x, y, w, h in boxes:
            top, bottom = max(int(y - around * h), 0), min(int(y + h * (1 + around)) + 1, height)
            left, right = max(int(x - around * w), 0), min(int(x + w * (1 + around)) + 1, width)
            found = predict(network, image[..., top:bottom, left:right], (view,))
            first, start = int(top * scale[0]), int(left * scale[1])
            last = min(max(round(bottom * scale[0]), first + 1), out.shape[-2])
            end = min(max(round(right * scale[1]), start + 1), out.shape[-1])
            place = look[..., first:last, start:end]
            place.copy_(torch.maximum(place, enlarge(found, last - first, end - start)[0].clamp(0, 1)))
    return out


def weighed(alpha: Tensor, inside: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """A mask and the boxes' views, weighed inside boxes.

    Args:
        alpha: the mask [1,1,H,W], 0..1.
        inside: 0 or 1, [1,1,H,W].
        seen: `seen_in_boxes`, [2,1,h,w].

    Returns:
        The answer [1,1,h,w] on the grid, and how far it changes alpha, 0..1.
    """
    size = (seen.shape[-2], seen.shape[-1])
    cut = resample(alpha * inside, size)
    one, other = (seen * resample(inside, size) - cut).split(1)
    least = torch.where(one.abs() < other.abs(), one, other)
    vote = cut + least * (one * other > 0)
    change = regions(torch.stack([cut, vote, vote]), None, cut) - cut
    more, less = change.clamp(min=0), change.clamp(max=0)
    if float(less.sum()) < -MOST * float(cut.sum()):
        less = torch.zeros_like(less)
    change = more * belonging(more, cut, torch.stack([cut, cut + one, cut + other])) + less
    changed = largest((change.abs() * CHANGES).clamp(max=1), NEAR)
    return cut + change, changed


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


def whole(boxes: Sequence[Box], height: int, width: int) -> bool:
    """Whether a box holds the whole photograph and so says nothing of it.

    Args:
        boxes: in pixels of the photograph.
        height, width: of it.

    Returns:
        Whether one of them does.
    """
    return any(x <= 0 and y <= 0 and x + w >= width and y + h >= height for x, y, w, h in boxes)


def _grid(height: int, width: int) -> tuple[int, int]:
    scale = min(GRID / max(height, width), 1.0)
    return max(round(height * scale), 1), max(round(width * scale), 1)
