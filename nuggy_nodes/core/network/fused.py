"""A convolution, its bias and its ReLU as one kernel, where cuDNN has one.

On a GPU torch adds the bias in a pass of its own and the ReLU in another: beside the convolutions of IS-Net at 1024
they take as long as three quarters of them.
"""

from __future__ import annotations

import logging

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .device import out_of_memory

log = logging.getLogger(__name__)
_refused: list[str] = []  # why cuDNN did not; nothing as long as it does


def conv_relu(layer: nn.Conv2d, x: Tensor) -> Tensor:
    """relu(layer(x)).

    Args:
        layer: with a bias, of one group, padding as numbers.
        x: [B,C,H,W].

    Returns:
        What it gives, never below 0.
    """
    if x.device.type == "cuda" and not _refused and one_kernel(layer, x):
        try:
            padding = [int(n) for n in layer.padding]
            return torch.cudnn_convolution_relu(x, layer.weight, layer.bias, layer.stride, padding, layer.dilation, 1)
        except RuntimeError as e:
            if out_of_memory(e):
                raise
            _refused.append(str(e).splitlines()[0] if str(e) else type(e).__name__)
            log.info("convolution, bias and ReLU run one after the other: %s", _refused[0])
    return F.relu_(F.conv2d(x, layer.weight, layer.bias, layer.stride, layer.padding, layer.dilation))


def one_kernel(layer: nn.Conv2d, x: Tensor) -> bool:
    """Whether cuDNN is to be asked: NVIDIA's, half precision, nothing to be learned, weights where x is.

    Args:
        layer: the convolution.
        x: its input.

    Returns:
        Yes or no.
    """
    half = x.dtype in (torch.float16, torch.bfloat16) and layer.weight.dtype == x.dtype
    here = torch.backends.cudnn.enabled and torch.version.hip is None and layer.weight.device == x.device
    return half and here and not torch.is_grad_enabled()
