"""Which arithmetic: by name, by device, and on a CPU by a measurement that is kept."""

import json
import math

import pytest
import torch

from nuggy_nodes.core import InputError, choose_precision
from nuggy_nodes.core.network import eight_bit_check, precision
from nuggy_nodes.core.network.isnet import RSU
from nuggy_nodes.core.ops import what_pays

CPU = torch.device("cpu")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder of its own and a process that knows nothing yet; the file that verdicts are kept in."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(what_pays, "_seen", {})
    return tmp_path / "nuggy" / what_pays.FILE


def answers(monkeypatch, *ratios):
    """Replaces the measurement by bfloat16's and 8 bits' time over float32's (one number: no 8 bits); the list says how
    often it was asked."""
    left = [r if isinstance(r, tuple) else (r, math.inf) for r in ratios]
    monkeypatch.setattr(precision, "measure", lambda: left.pop(0))
    return left


def test_names_and_devices(cache, monkeypatch):
    answers(monkeypatch)  # none of these measures
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16), ("float16", torch.float16)):
        assert choose_precision(CPU, name) == dtype
    assert choose_precision(torch.device("cuda")) == torch.float16
    assert choose_precision(torch.device("mps")) == torch.float32
    with pytest.raises(InputError, match="float16, int8; got 'int4'"):
        choose_precision(CPU, "int4")


@pytest.mark.parametrize("why", ["", "sums overflow"])
def test_int8_by_name(cache, monkeypatch, why):
    answers(monkeypatch)
    monkeypatch.setattr(eight_bit_check, "works", lambda: why)
    if why:
        with pytest.raises(InputError, match=why):
            choose_precision(CPU, "int8")
    else:
        assert choose_precision(CPU, "int8") == torch.int8
    with pytest.raises(InputError, match="for CPUs"):
        choose_precision(torch.device("cuda"), "int8")


@pytest.mark.parametrize("ratio,dtype", [
    (0.4, torch.bfloat16), (0.8, torch.bfloat16), (0.9, torch.float32), (math.inf, torch.float32),
    ((0.5, 0.3), torch.int8), ((0.5, 0.45), torch.bfloat16), ((0.9, 0.79), torch.int8),
    ((9.0, 0.9), torch.float32)])  # fmt: skip
def test_measured_once_and_kept(cache, monkeypatch, ratio, dtype):
    left = answers(monkeypatch, ratio)
    assert choose_precision(CPU) == choose_precision(CPU) == dtype and not left
    monkeypatch.setattr(what_pays, "_seen", {})  # another process
    assert choose_precision(CPU) == dtype
    kept = json.loads(cache.read_text())
    half = ratio[0] if isinstance(ratio, tuple) else ratio
    assert list(kept.values()) == [[half <= 0.8, dtype == torch.int8]]
    assert precision.floating() == (torch.bfloat16 if half <= 0.8 else torch.float32)


def test_the_measurement_is_real_and_leaves_no_trace(monkeypatch):
    state, calls, forward = torch.get_rng_state(), [], RSU.forward
    monkeypatch.setattr(RSU, "forward", lambda self, x: calls.append(x.dtype) or forward(self, x))
    half, eight = precision.measure()
    assert 0 < half < math.inf or calls.count(torch.bfloat16) <= 2
    assert eight > 0
    assert {torch.float32, torch.bfloat16} == set(calls)
    assert torch.equal(state, torch.get_rng_state())


def test_no_kernel_for_bfloat16_is_no_error(no_bfloat16):
    no_bfloat16(RSU)
    assert precision.measure()[0] == math.inf


def test_floating_point_is_never_eight_bits(monkeypatch):
    monkeypatch.setattr(precision, "verdict", lambda: precision.Verdict(bfloat16=True, int8=True))
    assert precision.choose_precision(torch.device("cpu")) == torch.int8
    assert precision.choose_floating(torch.device("cpu")) == torch.bfloat16
    assert precision.choose_floating(torch.device("cuda")) == torch.float16
    assert precision.choose_floating(torch.device("mps")) == torch.float32
