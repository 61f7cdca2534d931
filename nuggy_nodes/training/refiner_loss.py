"""What the learned refinement is told: how far a window is from the truth, at several scales and in its edges."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

RIM = 6  # pixels along a window's border that do not count: the network lacks their surroundings


def loss(answer: Tensor, alpha: Tensor, before: Tensor, believed: Tensor) -> Tensor:
    """One number for masks [B,1,h,w] against their truths.

    |d| and d squared; |d| on the levels of a Laplacian pyramid (Hou and Liu, "Context-Aware Image Matting", ICCV 2019,
    eq. 2); differences of d in x and y, absolute and squared, fine and smoothed, which the gradient error measures.
    Where the truth is not believed, another subject's, the mask is to stay as it was `before`.
    """
    clipped = answer.clamp(0, 1)
    counts = torch.zeros_like(alpha)
    counts[..., RIM:-RIM, RIM:-RIM] = 1
    d = (clipped - (believed * alpha + (1 - believed) * before)) * counts
    out = 0.8 * d.abs().mean() + 2.5 * d.square().mean() + 0.05 * ((answer - clipped).abs() * counts).mean()
    level = d
    for scale in range(3):
        small = F.avg_pool2d(level, 2)
        fine = level - F.interpolate(small, scale_factor=2, mode="nearest")
        out = out + 0.5 * 2**scale * fine.abs().mean()
        level = small
    out = out + 0.4 * sum(_slopes(d, 1))
    return out + 3 * sum(sum(_slopes(x, 2)) for x in (d, F.avg_pool2d(d, 3, 1, 1)))


def _slopes(d: Tensor, power: int) -> tuple[Tensor, Tensor]:
    x, y = d[..., 1:] - d[..., :-1], d[..., 1:, :] - d[..., :-1, :]
    return x.abs().pow(power).mean(), y.abs().pow(power).mean()
