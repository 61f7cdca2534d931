"""The device, and how a lack of memory shows on any of them."""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core import InputError
from nuggy_nodes.core.network.device import choose_device, out_of_memory


@pytest.mark.parametrize(
    "e",
    [
        MemoryError(),
        torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
        RuntimeError("std::bad_alloc"),
        OSError(12, "Cannot allocate memory"),
    ],
    ids=lambda e: str(e)[:20],
)
def test_every_form_is_known(e):
    assert out_of_memory(e)
    try:
        raise ValueError("cannot be done") from e
    except ValueError as around:
        assert out_of_memory(around)


@pytest.mark.parametrize("e", [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), ValueError("out of memory"),
                               OSError(2, "No such file")], ids=str)  # fmt: skip
def test_other_faults_are_not_taken_for_it(e):
    assert not out_of_memory(e)


def test_device():
    assert choose_device("cpu").type == "cpu" and choose_device().type in ("cpu", "cuda", "mps")
    with pytest.raises(InputError, match="device"):
        choose_device("tpu7")
