"""The device that torch works on, and how a lack of memory shows there."""

from __future__ import annotations

import torch

from ..errors import InputError


def choose_device(name: str = "auto") -> torch.device:
    """'auto': CUDA (or ROCm), then Apple's MPS, then the CPU; or a torch device by name. Raises InputError."""
    if name != "auto":
        try:
            device = torch.device(name)
            torch.empty(1, device=device)
        except (RuntimeError, AssertionError, NotImplementedError) as e:
            raise InputError(f"device {name!r} cannot be used here: {str(e).splitlines()[0]}") from e
        return device
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def out_of_memory(e: BaseException) -> bool:
    """Whether an exception of torch's says that memory ran out, on any device."""
    return isinstance(e, torch.cuda.OutOfMemoryError) or (
        isinstance(e, RuntimeError) and ("out of memory" in str(e) or "not enough memory" in str(e))
    )
