"""A drawn photograph of two parts, whose truth is known."""

from __future__ import annotations

import torch

from nuggy_nodes.core.guided_answer import Seen
from nuggy_nodes.core.recipes import recipe
from nuggy_nodes.core.work import Work

H, W = 160, 200


def plane(*boxes):
    """1 in boxes (top, bottom, left, right)."""
    out = torch.zeros(1, 1, H, W)
    for top, bottom, left, right in boxes:
        out[..., top:bottom, left:right] = 1
    return out


HEAD, BODY = (20, 80, 60, 140), (80, 150, 60, 140)
TRUTH = plane(HEAD, BODY)


def photograph():
    """A grey ground, an orange head, a blue body; a little noise."""
    noise = 0.02 * torch.randn(1, 3, H, W, generator=torch.Generator().manual_seed(1))
    colours = [torch.tensor(c).view(1, 3, 1, 1) for c in ((0.5, 0.5, 0.5), (0.9, 0.5, 0.1), (0.1, 0.2, 0.8))]
    picture = colours[0] + plane(HEAD) * (colours[1] - colours[0]) + plane(BODY) * (colours[2] - colours[0])
    return (picture + noise).clamp(0, 1)


def seen(image, alpha):
    return Seen(image, alpha, [], recipe("default"), image, None, Work())


def sad(alpha, truth=TRUTH):
    return float((alpha - truth).abs().sum())
