"""The device that torch works on, and how a lack of memory shows there."""

from __future__ import annotations

import errno

import torch

from ..errors import InputError


def choose_device(name: str = "auto") -> torch.device:
    """The device that torch works on.

    Args:
        name: "auto" (CUDA or ROCm, then Apple's MPS, then the CPU), or a torch device by name.

    Returns:
        The device; a named one was tried.

    Raises:
        InputError: a device that cannot be used here.
    """
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


WORDS = (  # of exceptions without a type of their own, in small letters
    "out of memory",  # CUDA, HIP, MPS, XPU; "CUDA error: out of memory"
    "can't allocate memory",  # torch's CPU allocator on Linux and macOS
    "cannot allocate memory",
    "not enough memory",  # on Windows
    "failed to allocate",  # OpenCV
    "insufficient memory",
    "alloc_failed",  # CUDNN_STATUS_ALLOC_FAILED, CUBLAS_STATUS_ALLOC_FAILED
    "bad_alloc",  # C++
    "bad allocation",
    "could not create a memory",  # oneDNN
    "can't start new thread",  # no room for its stack
)


def out_of_memory(e: BaseException | None) -> bool:
    """Whether an exception, or the one that it was raised from, says that memory ran out, on any device.

    Args:
        e: the exception, or None.

    Returns:
        Whether it does; False for None.
    """
    if e is None:
        return False
    if isinstance(e, (MemoryError, torch.cuda.OutOfMemoryError)) or getattr(e, "errno", None) == errno.ENOMEM:
        return True
    told = str(e).lower() if isinstance(e, RuntimeError) or type(e).__module__.startswith("cv2") else ""
    return any(w in told for w in WORDS) or out_of_memory(e.__cause__)
