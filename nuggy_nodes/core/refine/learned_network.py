"""The learned refinement's network: a small U-net at half the photograph's resolution.

92 000 parameters. Pixels are folded into channels by two (Shi et al., "Real-Time Single Image and Video
Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network", CVPR 2016, the other way round); three
levels of residual blocks (He et al., CVPR 2016) with 16, 24 and 32 channels; the last convolution starts at zero, so
that an untrained network changes nothing.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FEATURES = 8
STEP = 8  # sides are multiples of this


class Residual(nn.Module):
    """Two 3x3 convolutions beside an identity."""

    def __init__(self, channels: int):
        super().__init__()
        self.a = nn.Conv2d(channels, channels, 3, padding=1)
        self.b = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.b(F.relu_(self.a(F.relu(x)))).add_(x)


class Refiner(nn.Module):
    """Features [B,8,H,W] to a change of alpha [B,1,H,W], to be scaled by a gate."""

    def __init__(self, widths: tuple[int, int, int] = (16, 24, 32)):
        super().__init__()
        fine, middle, coarse = widths
        self.inp = nn.Conv2d(FEATURES * 4, fine, 3, padding=1)
        self.r0 = Residual(fine)
        self.d1 = nn.Conv2d(fine, middle, 4, 2, 1)
        self.r1 = Residual(middle)
        self.d2 = nn.Conv2d(middle, coarse, 4, 2, 1)
        self.r2 = Residual(coarse)
        self.r2b = Residual(coarse)
        self.u1 = nn.Conv2d(coarse, middle, 1)
        self.q1 = Residual(middle)
        self.u0 = nn.Conv2d(middle, fine, 1)
        self.q0 = Residual(fine)
        self.out = nn.Conv2d(fine, 4, 3, padding=1)
        nn.init.zeros_(self.out.weight)
        if self.out.bias is not None:
            nn.init.zeros_(self.out.bias)

    def forward(self, features: Tensor) -> Tensor:
        height, width = features.shape[-2:]
        down, right = -height % STEP, -width % STEP
        if down or right:
            features = F.pad(features, (0, right, 0, down), mode="replicate")
        x = F.pixel_unshuffle(features, 2).to(self.out.weight.dtype, memory_format=torch.channels_last)
        x0 = self.r0(self.inp(x))
        x1 = self.r1(self.d1(F.relu(x0)))
        x2 = self.r2b(self.r2(self.d2(F.relu(x1))))
        y1 = self.q1(_twice(self.u1(x2)).add_(x1))
        y0 = self.q0(_twice(self.u0(y1)).add_(x0))
        return F.pixel_shuffle(self.out(F.relu(y0)), 2)[..., :height, :width].to(features.dtype)


def _twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
