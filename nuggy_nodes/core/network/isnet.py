"""IS-Net, for inference: the network and nothing else.

Qin, Dai, Hu, Fan, Shao, Van Gool, "Highly Accurate Dichotomous Image Segmentation", ECCV 2022. A U-net whose
stages are U-nets themselves (residual U-blocks, RSU). Batch norms are folded into the convolutions when a checkpoint
is read (weights.py), so what is left here is 3x3 convolutions, ReLU, max pooling, bilinear upsampling and
concatenation. 44.0 M parameters, 319 GFLOP for one 1024x1024 image.

Parameters are named as in the authors' modules less the `conv_s1` level: `stage1.rebnconv3.weight`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import cudagraph
from .fused import conv_relu


class ConvReLU(nn.Conv2d):
    """3x3 convolution (the batch norm folded in) and ReLU; size kept."""

    def __init__(self, cin: int, cout: int, dilation: int = 1):
        super().__init__(cin, cout, 3, padding=dilation, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        return conv_relu(self, x)


def _pool(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 2, stride=2, ceil_mode=True)


def _up_to(x: Tensor, like: Tensor) -> Tensor:
    if x.shape[-2:] == like.shape[-2:]:
        return x
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


class RSU(nn.Module):
    """Residual U-block of `depth` levels with pooling between: RSU-7, RSU-6, RSU-5, RSU-4 (paper, figure 4)."""

    def __init__(self, depth: int, cin: int, mid: int, cout: int):
        super().__init__()
        self.depth = depth
        self.rebnconvin = ConvReLU(cin, cout)
        self.rebnconv1 = ConvReLU(cout, mid)
        for i in range(2, depth):
            self.add_module(f"rebnconv{i}", ConvReLU(mid, mid))
        self.add_module(f"rebnconv{depth}", ConvReLU(mid, mid, dilation=2))
        for i in range(depth - 1, 1, -1):
            self.add_module(f"rebnconv{i}d", ConvReLU(mid * 2, mid))
        self.rebnconv1d = ConvReLU(mid * 2, cout)

    def forward(self, x: Tensor) -> Tensor:
        residual = self.rebnconvin(x)
        down = [self.rebnconv1(residual)]
        for i in range(2, self.depth):
            down.append(self.get_submodule(f"rebnconv{i}")(_pool(down[-1])))
        y = self.get_submodule(f"rebnconv{self.depth}")(down[-1])
        while down:
            skip = down.pop()
            y = self.get_submodule(f"rebnconv{len(down) + 1}d")(torch.cat((_up_to(y, skip), skip), 1))
        return y.add_(residual) if not torch.is_grad_enabled() else y + residual


class RSU4F(nn.Module):
    """Residual U-block whose levels are dilations, not poolings: RSU-4F."""

    def __init__(self, cin: int, mid: int, cout: int):
        super().__init__()
        self.rebnconvin = ConvReLU(cin, cout)
        self.rebnconv1 = ConvReLU(cout, mid)
        self.rebnconv2 = ConvReLU(mid, mid, dilation=2)
        self.rebnconv3 = ConvReLU(mid, mid, dilation=4)
        self.rebnconv4 = ConvReLU(mid, mid, dilation=8)
        self.rebnconv3d = ConvReLU(mid * 2, mid, dilation=4)
        self.rebnconv2d = ConvReLU(mid * 2, mid, dilation=2)
        self.rebnconv1d = ConvReLU(mid * 2, cout)

    def forward(self, x: Tensor) -> Tensor:
        residual = self.rebnconvin(x)
        y1 = self.rebnconv1(residual)
        y2 = self.rebnconv2(y1)
        y3 = self.rebnconv3(y2)
        y = self.rebnconv3d(torch.cat((self.rebnconv4(y3), y3), 1))
        y = self.rebnconv2d(torch.cat((y, y2), 1))
        y = self.rebnconv1d(torch.cat((y, y1), 1))
        return y.add_(residual) if not torch.is_grad_enabled() else y + residual


class ISNet(nn.Module):
    """The segmentation network.

    Input: [B,3,H,W], normalised as the weights ask (weights.py, `mean` and `std`); sides at multiples of 32 waste
    nothing, others work. Output: the logits of the first side output, [B,1,H/2,W/2] (rounded up). The grid is half
    the input because the first convolution strides by two; `sigmoid` makes it the probability of subject.

    With `sides=True`: `(logits, features)`, the six side outputs' logits, finest first, each [B,1,h,w] at the grid
    of its stage, and the six feature maps they were read from (64, 64, 128, 256, 512, 512 channels). Training needs
    them (the paper's equation 4 supervises every side output).
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(3, 64, 3, stride=2, padding=1)
        self.stage1 = RSU(7, 64, 32, 64)
        self.stage2 = RSU(6, 64, 32, 128)
        self.stage3 = RSU(5, 128, 64, 256)
        self.stage4 = RSU(4, 256, 128, 512)
        self.stage5 = RSU4F(512, 256, 512)
        self.stage6 = RSU4F(512, 256, 512)
        self.stage5d = RSU4F(1024, 256, 512)
        self.stage4d = RSU(4, 1024, 128, 256)
        self.stage3d = RSU(5, 512, 64, 128)
        self.stage2d = RSU(6, 256, 32, 64)
        self.stage1d = RSU(7, 128, 16, 64)
        for i, channels in enumerate((64, 64, 128, 256, 512, 512), 1):
            self.add_module(f"side{i}", nn.Conv2d(channels, 1, 3, padding=1))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> ISNet:
        cudagraph.forget(self)  # `to` and its like come through here
        return super()._apply(fn, recurse)

    def forward(self, x: Tensor, sides: bool = False) -> Tensor | tuple[list[Tensor], list[Tensor]]:
        features = self._features(x, every=sides)
        if not sides:
            return self.get_submodule("side1")(features[0])
        return [self.get_submodule(f"side{i}")(f) for i, f in enumerate(features, 1)], features

    def maps(self, x: Tensor) -> Tensor:
        """What the fourth side output is read from: a photograph's parts by what they are, not yet by where they end.

        Args:
            x: as for `forward`.

        Returns:
            [B,256,H/16,W/16].
        """
        return self._features(x, last=4)[0]

    def _features(self, x: Tensor, last: int = 1, every: bool = False) -> list[Tensor]:
        """The map that side output `last` is read from; with `every`, those of the coarser ones after it."""
        skips = [self.stage1(self.conv_in(x))]
        for i in range(2, 6):
            skips.append(self.get_submodule(f"stage{i}")(_pool(skips[-1])))
        y = self.stage6(_pool(skips[-1]))
        features = [y]
        while len(skips) >= last:
            skip = skips.pop()
            y = self.get_submodule(f"stage{len(skips) + 1}d")(torch.cat((_up_to(y, skip), skip), 1))
            features = [y, *features] if every else [y]
        return features


def convolutions(model: ISNet) -> list[tuple[str, nn.Conv2d]]:
    """The 119 convolutions in the order in which the forward pass runs them (graphs are matched by it).

    Args:
        model: the network.

    Returns:
        Names and modules.
    """
    return [(name, m) for name, m in model.named_modules() if isinstance(m, nn.Conv2d)]


def layer_names() -> list[str]:
    """The 119 convolutions' names, in the same order."""
    with torch.device("meta"):
        return [name for name, _ in convolutions(ISNet())]
