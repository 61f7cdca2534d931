"""The learned refinement's arithmetic: bfloat16 where a CPU is faster in it, and how far that is from float32."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from nuggy_nodes.core.ops import what_pays
from nuggy_nodes.core.refine import learned, learned_precision
from nuggy_nodes.core.refine.learned_network import Refiner
from nuggy_nodes.core.refine.learned_precision import best_dtype, measure
from nuggy_nodes.core.shipped import load_shipped
from tests.core.refine.test_learned import furry

CPU = torch.device("cpu")


@pytest.fixture
def knows_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(what_pays, "_seen", {})


def test_gpus_are_not_measured(monkeypatch):
    monkeypatch.setattr(learned_precision, "measure", None)
    assert best_dtype(Refiner(), torch.device("cuda")) == torch.float16
    assert best_dtype(Refiner(), torch.device("mps")) == torch.float32


@pytest.mark.parametrize("ratio,dtype", [(0.5, torch.bfloat16), (0.8, torch.bfloat16), (0.9, torch.float32),
                                         (math.inf, torch.float32)])  # fmt: skip
def test_bfloat16_where_it_pays(knows_nothing, monkeypatch, ratio, dtype):
    left = [ratio]
    monkeypatch.setattr(learned_precision, "measure", lambda network: left.pop())
    assert best_dtype(Refiner(), CPU) == best_dtype(Refiner(), CPU) == dtype and not left


def test_the_shipped_network_is_read_in_it(monkeypatch):
    for dtype in (torch.float32, torch.bfloat16):
        monkeypatch.setattr(learned, "best_dtype", lambda network, device, dtype=dtype: dtype)
        learned.load_refiner.cache_clear()
        assert {p.dtype for p in learned.load_refiner().parameters()} == {dtype}
    learned.load_refiner.cache_clear()


def test_the_measurement_is_real_and_leaves_no_trace(monkeypatch):
    network, state, seen, forward = Refiner(), torch.get_rng_state(), [], nn.Conv2d.forward
    monkeypatch.setattr(nn.Conv2d, "forward", lambda self, x: seen.append(x.dtype) or forward(self, x))
    assert measure(network) > 0
    assert set(seen) == {torch.float32, torch.bfloat16}
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert torch.equal(state, torch.get_rng_state())


def test_no_kernel_for_bfloat16_is_no_error(no_bfloat16):
    no_bfloat16(nn.Conv2d)
    assert measure(Refiner()) == math.inf


@torch.inference_mode()
def test_masks_are_two_levels_from_float32s_at_most():
    """Hair whose mask is a veil, all of it in doubt: as much change as there can be."""
    image, truth, _ = furry(1024)
    rows = (..., slice(256, 512), slice(None))
    image, soft = image[rows], nn.functional.avg_pool2d(truth, 31, 1, 15)[rows]
    exact = load_shipped(learned.NAME, Refiner)
    half = load_shipped(learned.NAME, Refiner).bfloat16()
    wanted, found = (learned.refine_learned(image, soft, soft, torch.ones_like(soft), network=n) for n in (exact, half))
    off = (found - wanted).abs()
    assert (wanted - soft).abs().max() > 0.2 and 0 < off.max() < 2.5 / 255 and off.mean() < 0.2 / 255
