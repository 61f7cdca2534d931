"""Where a node's work is done: on ComfyUI's device, or on the CPU where that lacks the memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import comfy.model_management as mm
import torch
from torch import Tensor

from ..core.network.device import out_of_memory

T = TypeVar("T")


def is_oom(e: BaseException) -> bool:
    """Whether an exception says that memory ran out: ComfyUI's own answer, where it has one, or the core's.

    Args:
        e: the exception.

    Returns:
        Whether it does.
    """
    asked = getattr(mm, "is_oom", None)
    return bool(asked and asked(e)) or out_of_memory(e)


class Place:
    """The device for a batch of pictures that are worked on one by one. Idle models are moved away once, for the whole
    batch; when memory runs out all the same, the rest of the batch is done on the CPU."""

    def __init__(self, images: Tensor, each: int, pictures: int = 1):
        """images: [B,C,H,W]; each: bytes that the work needs for a pixel; pictures: how many are there at a time."""
        self.device: torch.device = mm.get_torch_device()
        mm.free_memory(images.shape[-2] * images.shape[-1] * each * pictures, self.device)

    def run(self, work: Callable[..., T], *given: Tensor) -> T:
        """Work with all tensors on the device; on the CPU where the device's memory runs out.

        Args:
            work: a function of the tensors.
            *given: the tensors.

        Returns:
            work(*given).

        Raises:
            Exception: what `work` raises, but for a lack of the device's memory.
        """
        try:
            return work(*(x.to(self.device) for x in given))
        except Exception as e:
            if not is_oom(e) or self.device.type == "cpu":
                raise
        mm.soft_empty_cache()  # out of the handler, where the exception would hold the device's memory
        self.device = torch.device("cpu")
        return work(*(x.cpu() for x in given))


def nth(x: Tensor, i: int) -> Tensor:
    """A picture of a batch; a batch of one serves all.

    Args:
        x: [B,...].
        i: its number.

    Returns:
        [1,...].
    """
    return x[i : i + 1] if len(x) > 1 else x
