"""Arithmetic in 8 bits on the CPU: convolution, pooling, enlargement and joining of maps.

A map is uint8 [B,C,H,W], channels last: whole steps above zero, since every one follows a ReLU. A step a channel is
folded into the weights on either side, so that the operators here know of no scale. Convolutions are torch's own,
oneDNN's, which are no public interface and are found when they are needed (eight_bit_check.py); products of unsigned
and signed bytes are summed in 32 bits, so an answer does not depend on the order of sums or the number of threads.

A processor without VNNI adds two products of input channels beside each other in 16 bits first, which must hold them:
there the weights' steps are as much coarser as the largest such pair of a row asks for (`room`), a third as a rule.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDE, NARROW = 254, 126  # steps: 127 twice; and what 255 times it, rounded up by 2, is still a number of 16 bits
BESIDE = 4  # input channels that lie beside each other
CHUNK = 1 << 20  # values that an enlargement makes at a time: few enough for the caches, enough for the threads


class Convolution:
    """A 3x3 convolution of maps, size kept, with ReLU unless it is said otherwise.

    Args:
        layer: the layer in floating point.
        before: step of each input channel, [in].
        after: step of each output channel, [out]; None: the answer is float32, in its own values.
        relu: whether negative sums become 0.
        room: how many steps two weights beside each other may have together (eight_bit_check.arithmetic).
    """

    def __init__(self, layer: nn.Conv2d, before: Tensor, after: Tensor | None, relu: bool = True, room: int = WIDE):
        weight, bias = layer.weight.detach().float() * before.view(1, -1, 1, 1), layer.bias
        assert bias is not None
        bias = bias.detach().float()
        if after is not None:
            weight, bias = weight / after.view(-1, 1, 1, 1), bias / after
        self._scale = _largest_step(weight, room).clamp(min=1e-12)
        steps = _diffused(weight.flatten(1) / self._scale[:, None]).to(torch.int8).view(weight.shape)
        self._bias, self._zero = bias, torch.zeros(len(bias), dtype=torch.int32)
        around = list(layer.padding), list(layer.dilation)
        self._geometry = ([1, 1], *around, 1)
        self._weight = torch.ops.onednn.qconv_prepack(steps, self._scale, 1.0, 0, *self._geometry, None)
        self._kind = torch.float32 if after is None else torch.uint8
        self._relu = "relu" if relu else "none"

    def __call__(self, x: Tensor) -> Tensor:
        answer: Tensor = torch.ops.onednn.qconv2d_pointwise(
            x, 1.0, 0, self._weight, self._scale, self._zero, self._bias, *self._geometry,
            1.0, 0, self._kind, self._relu, [], "",
        )  # fmt: skip
        return answer

    def added_to(self, residual: Tensor, x: Tensor) -> Tensor:
        """relu(convolution of x) + residual: the larger of residual and sum.

        Args:
            residual: uint8 [B,out,H,W] in the answer's steps; left as it is.
            x: the convolution's input, uint8 [B,in,H,W].

        Returns:
            uint8 [B,out,H,W].
        """
        total = residual.clone(memory_format=torch.preserve_format)
        torch.ops.onednn.qconv2d_pointwise.binary(
            x, 1.0, 0, self._weight, self._scale, self._zero, total, self._bias, *self._geometry,
            1.0, 0, torch.uint8, 1.0, 0, "sum", 1.0, None, [], "",
        )  # fmt: skip
        return torch.maximum(total, residual, out=total)


def _largest_step(weight: Tensor, room: int) -> Tensor:
    """The step of each output channel's weights [out,in,3,3] by which none has over 127 and no two of BESIDE over
    `room`."""
    size = weight.abs()
    one = size.flatten(1).amax(1) / 127
    if room >= WIDE:
        return one
    beside = F.pad(size, (0, 0, 0, 0, 0, -size.shape[1] % BESIDE)).unflatten(1, (-1, BESIDE))
    return torch.maximum(one, beside.topk(2, 2).values.sum(2).flatten(1).amax(1) / room)


def _diffused(rows: Tensor) -> Tensor:
    """Rows [out,N] in whole numbers of at most 127, the error of each carried over to the next: sums over a window and
    a channel stay within one. As good as quantise.py's choice of the best values to turn, in a tenth of its time; this
    one is paid for whenever the network is loaded."""
    sums = rows.cumsum(1).round_()
    return torch.cat((sums[:, :1], sums.diff(dim=1)), 1).clamp_(-127, 127)


def pool(x: Tensor) -> Tensor:
    """2x2 maximum, sides rounded up (`max_pool2d` takes no uint8).

    Args:
        x: uint8 [B,C,H,W].

    Returns:
        uint8 [B,C,(H+1)//2,(W+1)//2].
    """
    x = x.permute(0, 2, 3, 1)
    if x.shape[1] % 2 or x.shape[2] % 2:
        x = F.pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
    rows = torch.maximum(x[:, 0::2], x[:, 1::2])
    return torch.maximum(rows[:, :, 0::2], rows[:, :, 1::2]).permute(0, 3, 1, 2)


def join(y: Tensor, skip: Tensor) -> Tensor:
    """One map, enlarged bilinearly to the size of another, and that other, one after the other in channels.

    Args:
        y: uint8 [B,D,h,w].
        skip: uint8 [B,C,H,W].

    Returns:
        uint8 [B,D+C,H,W], channels last.
    """
    (n, c, height, width), own = skip.shape, y.shape[1]
    out = torch.empty(n, height, width, own + c, dtype=torch.uint8)
    out[..., own:] = skip.permute(0, 2, 3, 1)
    left, (h, w) = out[..., :own], y.shape[-2:]
    if (h, w) == (height, width):
        left.copy_(y.permute(0, 2, 3, 1))
    elif (2 * h, 2 * w) == (height, width):
        _double(y.permute(0, 2, 3, 1), left)
    else:  # a side that did not halve evenly
        grown = F.interpolate(y.float(), size=(height, width), mode="bilinear", align_corners=False)
        left.copy_(grown.add_(0.5).permute(0, 2, 3, 1))
    return out.permute(0, 3, 1, 2)


def _double(x: Tensor, out: Tensor) -> None:
    """Bilinear enlargement of x [B,h,w,C] into out [B,2h,2w,C]: of two neighbours a quarter and three quarters, in
    integers, rounded once: (3 (3 a + b) + (3 c + d) + 8) / 16, of which each half carries a part of the 8. Torch's
    kernel for bytes takes ten times as long; strips keep the wider ones in cache."""
    n, h, w, c = x.shape
    cells = out.unflatten(1, (h, 2)).unflatten(3, (w, 2))
    strip = max(CHUNK // (2 * w * c), 1)
    for top in range(0, h, strip):
        end = min(top + strip, h)
        first, last = max(top - 1, 0), min(end + 1, h)
        rows = torch.empty(n, end - top + 2, w + 2, c, dtype=torch.int16)  # with a neighbour on every side
        rows[:, first - top + 1 : last - top + 1, 1:-1] = x[:, first:last]
        if top == 0:
            rows[:, 0] = rows[:, 1]
        if end == h:
            rows[:, -1] = rows[:, -2]
        rows[:, :, 0], rows[:, :, -1] = rows[:, :, 1], rows[:, :, -2]
        raised = rows + 2  # four times this is the 8
        pair = torch.empty(n, end - top, w, 2, c, dtype=torch.int16)
        for lower, other in enumerate((raised[:, :-2], raised[:, 2:])):
            far = torch.add(other, rows[:, 1:-1], alpha=3)
            torch.add(far[:, :, :-2], far[:, :, 1:-1], alpha=3, out=pair[:, :, :, 0])
            torch.add(far[:, :, 2:], far[:, :, 1:-1], alpha=3, out=pair[:, :, :, 1])
            cells[:, top:end, lower].copy_(pair.bitwise_right_shift_(4))
