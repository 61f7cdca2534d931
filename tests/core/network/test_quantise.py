from pathlib import Path

import pytest
import torch

from nuggy_nodes.core import WeightsError
from nuggy_nodes.core.network.quantise import dequantise, quantise

HERE = Path("weights.safetensors")


@pytest.fixture
def state():
    torch.manual_seed(1)
    return {"a.weight": torch.randn(24, 16, 3, 3) * torch.rand(24, 1, 1, 1), "a.bias": torch.randn(24),
            "b.weight": torch.randn(8, 4, 3, 3), "b.bias": torch.randn(8)}  # fmt: skip


def test_layout_and_round_trip(state):
    stored = quantise(state, keep=["b"])
    assert stored["a.weight"].dtype == torch.int8 and stored["a.weight.scale"].shape == (24,)
    assert stored["b.weight"].dtype == torch.float16 and stored["a.bias"].dtype == torch.float32
    back = dequantise(stored, HERE)
    assert back.keys() == state.keys() and torch.equal(back["a.bias"], state["a.bias"])
    assert torch.equal(back["b.weight"], state["b.weight"].half().float())
    # a rounding turned the other way is off by less than one step, and never by more than 1.5
    steps = (back["a.weight"] - state["a.weight"]).abs() / stored["a.weight.scale"].view(-1, 1, 1, 1)
    assert steps.max() < 1.5 and steps.mean() < 0.35


def test_sums_over_windows_and_channels_vanish(state):
    stored = quantise(state)
    for name in ("a.weight", "b.weight"):
        left = (dequantise(stored, HERE)[name] - state[name]) / stored[name + ".scale"].view(-1, 1, 1, 1)
        nearest = state[name] / stored[name + ".scale"].view(-1, 1, 1, 1)
        nearest = nearest.round().clamp(-127, 127) - nearest
        assert left.sum((2, 3)).square().mean() < 0.3 * nearest.sum((2, 3)).square().mean()
        assert left.sum((1, 2, 3)).abs().max() < 1.01


def test_a_smooth_input_comes_out_nearer_than_by_rounding_to_nearest(state):
    x = torch.nn.functional.avg_pool2d(torch.rand(1, 16, 64, 64), 9, 1)
    weight = state["a.weight"]
    scale = weight.abs().amax((1, 2, 3), keepdim=True) / 127
    exact = torch.conv2d(x, weight)
    error = (torch.conv2d(x, dequantise(quantise(state), HERE)["a.weight"]) - exact).square().mean()
    assert error < 0.2 * (torch.conv2d(x, (weight / scale).round() * scale) - exact).square().mean()


def test_zero_channel():
    state = {"a.weight": torch.zeros(2, 3, 3, 3)}
    assert torch.equal(dequantise(quantise(state), HERE)["a.weight"], state["a.weight"])


def test_missing_scale_and_strange_type_are_named(state):
    stored = quantise(state)
    del stored["a.weight.scale"]
    with pytest.raises(WeightsError, match=r"weights\.safetensors: a\.weight"):
        dequantise(stored, HERE)
    with pytest.raises(WeightsError, match="int64"):
        dequantise({"a.weight": torch.ones(2, 2, dtype=torch.int64)}, HERE)


def test_every_channel_uses_all_of_eight_bits(state):
    """Its largest weight is the last step, so that a step is as fine as it can be."""
    stored = quantise(state)
    names = [k for k, v in stored.items() if v.dtype == torch.int8]
    assert names
    for name in names:
        rows, exact = stored[name].flatten(1).int(), state[name].flatten(1)
        assert bool((rows.abs().amax(1) >= 126).all())
        assert torch.allclose(stored[name + ".scale"], exact.abs().amax(1) / 127)
