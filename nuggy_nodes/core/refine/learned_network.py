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
        x0 = self.r0(self._in_twos(features))
        x1 = self.r1(self.d1(F.relu(x0)))
        x2 = self.r2b(self.r2(self.d2(F.relu(x1))))
        y1 = self.q1(_twice(self.u1(x2)).add_(x1))
        y0 = self.q0(_twice(self.u0(y1)).add_(x0))
        return _unfolded(self.out(F.relu_(y0)))[..., :height, :width].to(features.dtype)

    def _in_twos(self, x: Tensor) -> Tensor:
        """inp(F.pixel_unshuffle(x, 2)). On a CPU folding takes twice as long as the convolution, and 3x3 on folded
        pixels are 6x6 on the pixels themselves, in steps of two."""
        dtype, layout = self.out.weight.dtype, torch.channels_last
        if x.device.type != "cpu":
            return self.inp(F.pixel_unshuffle(x, 2).to(dtype, memory_format=layout))  # type: ignore[no-any-return]
        count, _, side, _ = self.inp.weight.shape
        folded = self.inp.weight.view(count, FEATURES, 2, 2, side, side)
        pixels = folded.permute(0, 1, 4, 2, 5, 3).reshape(count, FEATURES, 2 * side, 2 * side)
        pixels = pixels.contiguous(memory_format=layout)
        return F.conv2d(x.to(dtype, memory_format=layout), pixels, self.inp.bias, 2, side - 1)


def _unfolded(x: Tensor) -> Tensor:
    """F.pixel_shuffle(x, 2) of [B,4,h,w], which takes five times as long where channels come last."""
    batch, _, height, width = x.shape
    return x.permute(0, 2, 3, 1).unflatten(3, (2, 2)).transpose(2, 3).reshape(batch, 1, 2 * height, 2 * width)


def _twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
