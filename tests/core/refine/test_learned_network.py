"""The learned refinement's network: against the same layers called one by one, by their names in the file."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from nuggy_nodes.core.refine.learned_network import FEATURES, STEP, Refiner
from nuggy_nodes.core.shipped import shipped


@pytest.fixture(scope="module")
def state():
    return {k: v.float() for k, v in load_file(shipped("refiner.safetensors")).items()}


@pytest.fixture(scope="module")
def network(state):
    one = Refiner()
    one.load_state_dict(state)
    return one.requires_grad_(False).eval()


def by_hand(state, x):
    """The U-net written out: 16, 24 and 32 channels at a half, a quarter and an eighth."""

    def conv(name, x, **how):
        return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], **how)

    def residual(name, x):
        return x + conv(f"{name}.b", F.relu(conv(f"{name}.a", F.relu(x), padding=1)), padding=1)

    def twice(x):
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)

    fine = residual("r0", conv("inp", F.pixel_unshuffle(x, 2), padding=1))
    middle = residual("r1", conv("d1", F.relu(fine), stride=2, padding=1))
    coarse = residual("r2b", residual("r2", conv("d2", F.relu(middle), stride=2, padding=1)))
    middle = residual("q1", middle + twice(conv("u1", coarse)))
    fine = residual("q0", fine + twice(conv("u0", middle)))
    return F.pixel_shuffle(conv("out", F.relu(fine), padding=1), 2)


@torch.inference_mode()
def test_it_answers_as_its_layers_by_hand(network, state, rng):
    x = torch.from_numpy(rng.random((2, FEATURES, 32, 48))).float() - 0.5
    found = network(x)
    assert found.shape == (2, 1, 32, 48) and float(found.abs().max()) > 1e-3
    torch.testing.assert_close(found, by_hand(state, x), atol=1e-5, rtol=1e-4)


@torch.inference_mode()
@pytest.mark.parametrize("size", [(8, 8), (9, 8), (30, 45), (1, 3)])
def test_sides_that_are_no_multiple_have_their_border_continued(network, state, rng, size):
    x = torch.from_numpy(rng.random((1, FEATURES, *size))).float() - 0.5
    pads = (0, -size[1] % STEP, 0, -size[0] % STEP)
    expected = by_hand(state, F.pad(x, pads, mode="replicate"))[..., : size[0], : size[1]]
    torch.testing.assert_close(network(x), expected, atol=1e-5, rtol=1e-4)


def test_it_is_as_small_as_it_says_and_changes_nothing_untrained():
    one = Refiner()
    assert sum(p.numel() for p in one.parameters()) == pytest.approx(92_000, abs=500)
    assert bool((one(torch.rand(1, FEATURES, 16, 16)) == 0).all())
