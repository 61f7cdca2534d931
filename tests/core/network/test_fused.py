"""Convolution, bias and ReLU in one; that cuDNN's kernel is right, benchmarks/gpu.py checks on a GPU."""

from __future__ import annotations

import types

import pytest
import torch
from torch import nn

from nuggy_nodes.core.network import fused


@pytest.fixture(autouse=True)
def not_refused(monkeypatch):
    monkeypatch.setattr(fused, "_refused", [])


@pytest.mark.parametrize("dilation", [1, 4])
def test_on_a_cpu_it_is_the_layer_and_a_relu(dilation):
    layer, x = nn.Conv2d(3, 5, 3, padding=dilation, dilation=dilation), torch.randn(2, 3, 17, 9)
    torch.testing.assert_close(fused.conv_relu(layer, x), layer(x).clamp(min=0))


def test_it_learns_as_the_layer_does():
    layer, x = nn.Conv2d(3, 5, 3, padding=1), torch.randn(2, 3, 17, 9)
    fused.conv_relu(layer, x).sum().backward()
    got, layer.weight.grad = layer.weight.grad, None
    layer(x).clamp(min=0).sum().backward()
    torch.testing.assert_close(got, layer.weight.grad)


def half(**different):
    """What one_kernel looks at, of a layer and an input on a GPU."""
    told = {"dtype": torch.float16, "device": torch.device("cuda")} | different
    return types.SimpleNamespace(**told)


def test_cudnn_is_asked_for_half_precision_where_nothing_is_learned(monkeypatch):
    monkeypatch.setattr(torch.version, "hip", None)
    layer = types.SimpleNamespace(weight=half())
    with torch.no_grad():
        assert fused.one_kernel(layer, half())
        assert not fused.one_kernel(layer, half(dtype=torch.float32))
        assert not fused.one_kernel(types.SimpleNamespace(weight=half(device=torch.device("cpu"))), half())
        monkeypatch.setattr(torch.version, "hip", "6.2")
        assert not fused.one_kernel(layer, half())
    monkeypatch.setattr(torch.version, "hip", None)
    assert not fused.one_kernel(layer, half())


class OnGpu(torch.Tensor):
    """A tensor that says it is on a GPU."""

    device = torch.device("cuda")


def test_what_cudnn_refuses_runs_one_after_the_other_from_then_on(monkeypatch):
    asked = []

    def refuse(*args):
        asked.append(args)
        raise RuntimeError("GET was unable to find an engine")

    monkeypatch.setattr(torch, "cudnn_convolution_relu", refuse)
    monkeypatch.setattr(fused, "one_kernel", lambda layer, x: True)
    layer, x = nn.Conv2d(3, 5, 3, padding=2, dilation=2), torch.randn(1, 3, 8, 8)
    with torch.no_grad():
        wanted = layer(x).clamp(min=0)
        for _ in range(2):
            torch.testing.assert_close(fused.conv_relu(layer, x.as_subclass(OnGpu)).as_subclass(torch.Tensor), wanted)
    ((_, weight, bias, stride, padding, dilation, groups),) = asked
    assert weight is layer.weight and bias is layer.bias
    assert (stride, padding, dilation, groups) == ((1, 1), [2, 2], (2, 2), 1)
    assert fused._refused == ["GET was unable to find an engine"]


def test_too_little_memory_is_not_a_refusal(monkeypatch):
    def full(*args):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(torch, "cudnn_convolution_relu", full)
    monkeypatch.setattr(fused, "one_kernel", lambda layer, x: True)
    with torch.no_grad(), pytest.raises(torch.cuda.OutOfMemoryError):
        fused.conv_relu(nn.Conv2d(3, 5, 3), torch.randn(1, 3, 8, 8).as_subclass(OnGpu))
    assert not fused._refused
