"""Which arithmetic: by name, by device, and on a CPU by a measurement that is kept."""

import json
import math

import pytest
import torch

from nuggy_nodes.core import InputError, choose_precision
from nuggy_nodes.core.network import precision
from nuggy_nodes.core.network.isnet import RSU

CPU = torch.device("cpu")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder of its own and a process that knows nothing yet; the file that verdicts are kept in."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(precision, "_seen", {})
    return tmp_path / "nuggy" / precision.FILE


def answers(monkeypatch, *ratios):
    """Replaces the measurement; the list says how often it was asked."""
    left = list(ratios)
    monkeypatch.setattr(precision, "measure", lambda: left.pop(0))
    return left


def test_names_and_devices(cache, monkeypatch):
    answers(monkeypatch)  # none of these measures
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16), ("float16", torch.float16)):
        assert choose_precision(CPU, name) == dtype
    assert choose_precision(torch.device("cuda")) == torch.float16
    assert choose_precision(torch.device("mps")) == torch.float32
    with pytest.raises(InputError, match="precision"):
        choose_precision(CPU, "int8")


@pytest.mark.parametrize("ratio,dtype", [
    (0.4, torch.bfloat16), (0.8, torch.bfloat16), (0.9, torch.float32), (math.inf, torch.float32)])  # fmt: skip
def test_measured_once_and_kept(cache, monkeypatch, ratio, dtype):
    left = answers(monkeypatch, ratio)
    assert choose_precision(CPU) == choose_precision(CPU) == dtype and not left
    monkeypatch.setattr(precision, "_seen", {})  # another process
    assert choose_precision(CPU) == dtype
    kept = json.loads(cache.read_text())
    assert list(kept.values()) == [dtype == torch.bfloat16]
    assert torch.__version__ in next(iter(kept)) and precision.processor() in next(iter(kept))


def test_another_processor_is_measured_again(cache, monkeypatch):
    left = answers(monkeypatch, 0.4, 2.0)
    assert choose_precision(CPU) == torch.bfloat16
    monkeypatch.setattr(precision, "processor", lambda: "an older one")
    assert choose_precision(CPU) == torch.float32 and not left
    assert len(json.loads(cache.read_text())) == 2


@pytest.mark.parametrize("content", ["", "[1]", "{", '{"x": 3}', "[" * 100_000, "\0"])
def test_a_damaged_file_is_as_none(cache, monkeypatch, content):
    cache.parent.mkdir()
    cache.write_text(content)
    answers(monkeypatch, 0.4)
    assert choose_precision(CPU) == torch.bfloat16
    assert len(json.loads(cache.read_text())) == 1


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path, cache, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    left = answers(monkeypatch, 0.4)
    assert choose_precision(CPU) == choose_precision(CPU) == torch.bfloat16 and not left
    monkeypatch.setattr(precision, "_seen", {})
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr("pathlib.Path.home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    answers(monkeypatch, 3.0)
    assert choose_precision(CPU) == torch.float32


def test_the_measurement_is_real_and_leaves_no_trace(monkeypatch):
    state, calls, forward = torch.get_rng_state(), [], RSU.forward
    monkeypatch.setattr(RSU, "forward", lambda self, x: calls.append(x.dtype) or forward(self, x))
    assert 0 < precision.measure() < math.inf or calls.count(torch.bfloat16) <= 2
    assert {torch.float32, torch.bfloat16} == set(calls)
    assert torch.equal(state, torch.get_rng_state())


def test_no_kernel_for_bfloat16_is_no_error(monkeypatch):
    def forward(self, x):
        if x.dtype == torch.bfloat16:
            raise RuntimeError("not implemented for 'BFloat16'")
        return x

    monkeypatch.setattr(RSU, "forward", forward)
    assert precision.measure() == math.inf
