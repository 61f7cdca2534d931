"""Which arithmetic the learned refinement's network runs in.

Masks in bfloat16 differ from float32's by two levels of 255 at most on photographs of 800 pixels and more, at single
pixels of one of 480 by twelve, .002 on the mean (benchmarks/RESULTS.md).
"""

from __future__ import annotations

import copy
import math

import torch

from ..ops.what_pays import PAYS, once, ratios
from .learned_network import Refiner

KERNELS = "refiner 1"  # what is timed: another number asks for another answer
SIDE = 192  # pixels of what a convolution is shown: enough to tell, and at the first start a few milliseconds


def best_dtype(network: Refiner, device: torch.device) -> torch.dtype:
    """What a device does best.

    Args:
        network: in float32, on the CPU.
        device: where it is to run.

    Returns:
        float16 on CUDA; on CPUs bfloat16 where it is faster; else float32.
    """
    if device.type == "cuda":
        return torch.float16
    if device.type != "cpu":
        return torch.float32
    return torch.bfloat16 if once(KERNELS, 1, lambda: [measure(network) <= PAYS])[0] else torch.float32


def measure(network: Refiner) -> float:
    """bfloat16's time over float32's, of one of the network's convolutions: all else costs the same in both, and on
    small tiles hides the difference.

    Args:
        network: in float32, on the CPU.

    Returns:
        The ratio; infinite where there is no kernel or no hope.
    """
    layer = network.q0.a
    half = copy.deepcopy(layer).bfloat16()
    x = torch.zeros(1, layer.in_channels, SIDE, SIDE).contiguous(memory_format=torch.channels_last)
    y = x.bfloat16()
    with torch.inference_mode():
        return ratios(lambda: layer(x), {"bfloat16": lambda: half(y)}).get("bfloat16", math.inf)
