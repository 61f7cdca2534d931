"""What the segmentation network makes of a photograph: the same from every arithmetic, asked once, of known weights."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
import torch

from nuggy_nodes.core import Guidance, answer, load, look_once
from nuggy_nodes.core.network import eight_bit_check
from nuggy_nodes.core.network.protocol import normalised
from nuggy_nodes.core.network.weights import default_path
from nuggy_nodes.core.segment.learnt import LOOK, learnt
from nuggy_nodes.core.segment.stroke_network import LEARNT, load_spreader


@torch.inference_mode()
def test_it_is_the_principal_components_of_the_fourth_sides_maps(network32, chelsea):
    found = learnt(network32, chelsea)
    assert found.shape == (1, LEARNT, 32, 32)
    _, features = network32.model(normalised(LOOK.to_square(chelsea), network32.info), sides=True)
    expected = load_spreader().learnt(features[3])
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.int8])
def test_coarser_arithmetic_says_nearly_the_same(network32, chelsea, dtype):
    exact, coarse = learnt(network32, chelsea), learnt(load(dtype=dtype), chelsea)
    assert float((exact - coarse).square().mean()) < 0.02 * float(exact.square().mean())
    assert not torch.equal(exact, coarse) or (dtype == torch.int8 and eight_bit_check.works())


def test_other_weights_and_networks_are_not_known(tmp_path, chelsea):
    other = tmp_path / "mine.safetensors"
    shutil.copy(default_path(), other)
    assert learnt(load(other), chelsea) is None and learnt(None, chelsea) is None


def test_it_is_asked_once_for_all_strokes_and_not_by_one_that_says_nothing_new(network32, chelsea, monkeypatch):
    image = chelsea[..., :128, :128]
    seen = look_once(image, network32, "fast")
    mask = torch.zeros_like(seen.alpha)
    mask[..., 40:, 40:] = 1
    seen, asked = replace(seen, alpha=mask), []
    monkeypatch.setattr(network32.model, "maps", lambda x, maps=network32.model.maps: (asked.append(1), maps(x))[1])

    def drawn(top, left):
        stroke = torch.zeros_like(mask)
        stroke[..., top : top + 4, left : left + 30] = 1
        return stroke

    assert torch.equal(answer(seen, Guidance(keep=drawn(80, 60), drop=drawn(10, 60))).alpha, mask) and not asked
    for top in (60, 80, 110):
        answer(seen, Guidance(drop=drawn(top, 60)))
    assert len(asked) == 1 and len(seen.learnt) == 1
