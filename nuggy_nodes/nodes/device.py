"""Where a node's work is done: on ComfyUI's device, or on the CPU where that lacks the memory."""

from __future__ import annotations

from collections.abc import Callable

import comfy.model_management as mm
from torch import Tensor

from ..core.network.device import out_of_memory


def on_best_device(work: Callable[..., Tensor], *given: Tensor, each: int) -> Tensor:
    """work(*given) with all tensors on ComfyUI's device. given: [1,C,H,W], the first at full size; each: bytes that the
    work needs for each of its pixels, for which ComfyUI moves idle models away."""
    device = mm.get_torch_device()
    mm.free_memory(given[0].shape[-2] * given[0].shape[-1] * each, device)
    try:
        return work(*(x.to(device) for x in given))
    except Exception as e:
        if not out_of_memory(e) or device.type == "cpu":
            raise
    return work(*(x.cpu() for x in given))  # out of the handler, where the exception would hold the device's memory
