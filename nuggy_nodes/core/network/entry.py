"""IS-Net's first two convolutions as one, into 8 bits.

No ReLU lies between them, so 3x3 with a stride of two and 3x3 after it are one linear map: 7x7 with a stride of two,
over 3 channels instead of 64, a quarter of the arithmetic. Only along the border they differ: the second convolution
takes what lies beyond the first one's map as 0, not as what the first would have made of it; there both are done as
they are. The steps of the 8-bit map are part of the weights.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EDGE = 6  # pixels of the picture that reach the outermost cell of the second map, and one more


class Entry(nn.Module):
    """From a picture to the first map in steps.

    Args:
        first: 3x3, stride 2.
        second: 3x3; a ReLU follows.
        step: [C], of the second's map.
    """

    def __init__(self, first: nn.Conv2d, second: nn.Conv2d, step: Tensor):
        super().__init__()
        one, one_bias = first.weight.double(), _bias(first)
        scale = 1 / step.double()
        two = second.weight.double() * scale.view(-1, 1, 1, 1)
        two_bias = _bias(second) * scale + 0.5  # what is cut off afterwards is then rounded
        both = torch.zeros(len(two), one.shape[1], 7, 7, dtype=torch.double)
        for down in range(3):
            for right in range(3):
                part = torch.einsum("oc,ckyx->okyx", two[:, :, down, right], one)
                both[..., 2 * down : 2 * down + 3, 2 * right : 2 * right + 3] += part
        both_bias = two_bias + torch.einsum("ocyx,c->o", two, one_bias)
        self.both, self.one, self.two = (_kept(w) for w in (both, one, two))
        self.both_bias, self.one_bias, self.two_bias = (_kept(b) for b in (both_bias, one_bias, two_bias))

    def forward(self, x: Tensor) -> Tensor:
        """The map.

        Args:
            x: [B,3,H,W] float32, as the network takes it; H and W even, at least EDGE.

        Returns:
            uint8 [B,C,H/2,W/2], channels last; what is beyond 255 steps becomes 255.
        """
        x = x.float().contiguous(memory_format=torch.channels_last)
        y = F.conv2d(x, self.both, self.both_bias, 2, 3)
        y[..., :1, :] = self._second(self._first(x[..., :EDGE, :])[..., :2, :])[..., :1, :]
        y[..., -1:, :] = self._second(self._first(x[..., -EDGE:, :])[..., -2:, :])[..., -1:, :]
        y[..., :1] = self._second(self._first(x[..., :EDGE])[..., :2])[..., :1]
        y[..., -1:] = self._second(self._first(x[..., -EDGE:])[..., -2:])[..., -1:]
        return y.clamp_(0, 255).to(torch.uint8)

    def _first(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.one, self.one_bias, 2, 1)

    def _second(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.two, self.two_bias, 1, 1)


def _bias(layer: nn.Conv2d) -> Tensor:
    return torch.zeros(layer.out_channels, dtype=torch.double) if layer.bias is None else layer.bias.double()


def _kept(values: Tensor) -> nn.Parameter:
    layout = torch.channels_last if values.ndim == 4 else torch.contiguous_format
    return nn.Parameter(values.float().contiguous(memory_format=layout), requires_grad=False)
