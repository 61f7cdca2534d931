"""The network that spreads strokes: against the same layers called one by one, by their names in the file."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from nuggy_nodes.core import WeightsError
from nuggy_nodes.core import shipped as files
from nuggy_nodes.core.segment import stroke_network
from nuggy_nodes.core.segment.stroke_features import CHANNELS
from nuggy_nodes.core.segment.stroke_network import (
    ASKED,
    FAR,
    LEARNT,
    MAPS,
    STEP,
    SURE,
    Likeness,
    Spreader,
    load_spreader,
    logits_of,
)
from nuggy_nodes.core.shipped import shipped


@pytest.fixture(scope="module")
def state():
    return {k: v.float() for k, v in load_file(shipped("strokes.safetensors")).items()}


def by_hand(state, x, learnt):
    """One photograph through the U-net written out, at a half, a quarter, an eighth and a sixteenth."""

    def conv(name, x, **how):
        return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], **how)

    def residual(name, x):
        return x + conv(f"{name}.b", F.relu(conv(f"{name}.a", F.relu(x), padding=1)), padding=1)

    def to(x, size):
        return F.interpolate(x, size=size, mode="bilinear", align_corners=False)

    x0 = residual("r0.1", residual("r0.0", conv("inp", F.pixel_unshuffle(x, 2), padding=1)))
    x1 = conv("d1", F.relu(x0), stride=2, padding=1)
    if learnt is not None:
        x1 = x1 + conv("dp", to(learnt, x1.shape[-2:]))
    x1 = residual("r1", x1)
    looks = conv("like.q", x1)[0].flatten(1).T.double()
    like = []
    for marked in F.max_pool2d(x[:, 4:6], 4)[0].flatten(1):
        at = marked.nonzero()[:, 0][:ASKED]
        apart = (looks[:, None] - looks[at][None]).square().sum(2) * float(state["like.scale"].abs())
        none = torch.full((len(looks),), -FAR, dtype=torch.float64)
        like.append(torch.exp(-apart).sum(1).log().clamp(-FAR, FAR) if len(at) else none)
    like = torch.stack(like).view(1, 2, *x1.shape[-2:]).float() / 3
    x1 = residual("r1b", x1 + conv("li", like))
    x2 = residual("r2", conv("d2", F.relu(x1), stride=2, padding=1))
    x3 = residual("r3.1", residual("r3.0", conv("d3", F.relu(x2), stride=2, padding=1)))
    y2 = residual("q2", x2 + to(conv("u2", x3), x2.shape[-2:]))
    y1 = residual("q1", x1 + to(conv("u1", y2), x1.shape[-2:]))
    y0 = residual("q0", x0 + to(conv("u0", y1), x0.shape[-2:]))
    return F.pixel_shuffle(conv("out", F.relu(y0), padding=1), 2)


def shown(rng, size):
    x = torch.from_numpy(rng.random((1, CHANNELS, *size))).float() - 0.5
    x[:, 4:6] = 0
    x[:, 4, size[0] // 2, : size[1] // 2] = 1
    return x


@torch.inference_mode()
@pytest.mark.parametrize("size", [(32, 48), (20, 33), (5, 3)])
@pytest.mark.parametrize("known", [True, False])
def test_it_answers_as_its_layers_by_hand(state, rng, size, known):
    x, logits = shown(rng, size), torch.from_numpy(rng.normal(size=(1, 1, *size))).float()
    learnt = torch.from_numpy(rng.normal(size=(1, LEARNT, 8, 8))).float() if known else None
    pads = (0, -size[1] % STEP, 0, -size[0] % STEP)
    expected = by_hand(state, F.pad(x, pads, mode="replicate"), learnt)[..., : size[0], : size[1]]
    assert float(expected.abs().max()) > 1e-2
    torch.testing.assert_close(load_spreader()(x, logits, learnt), logits + expected, atol=1e-4, rtol=1e-3)


@torch.inference_mode()
def test_a_batch_is_its_photographs_one_by_one(rng):
    xs = [shown(rng, (32, 32)) for _ in range(2)]
    xs[1][:, 5, 3, 4] = 1
    logits = torch.zeros(2, 1, 32, 32)
    together = load_spreader()(torch.cat(xs), logits)
    alone = torch.cat([load_spreader()(x, logits[:1]) for x in xs])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_what_looks_like_a_stroke_is_like_it_and_where_there_is_none_nothing_is():
    like = Likeness(3)
    x = torch.zeros(1, 3, 4, 6)
    x[..., 3:] = 5
    marks = torch.zeros(1, 2, 4, 6)
    marks[0, 0, 1, 0] = 1
    found = like(x, marks).detach()
    assert bool((found[0, 1] == -FAR / 3).all())
    assert float(found[0, 0, :, :3].abs().max()) < 1e-4 and bool((found[0, 0, :, 3:] < -1e-3).all())


def test_principal_components_are_a_product(state, rng):
    maps = rng.normal(size=(1, MAPS, 3, 4))
    expected = np.einsum("bcmn,cl->blmn", maps - state["mean"].numpy()[:, None, None], state["basis"].numpy())
    found = load_spreader().learnt(torch.from_numpy(maps).float())
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-3, rtol=1e-3)


def test_a_masks_logits_end_at_sure():
    found = logits_of(torch.tensor([0.0, 0.3, 1.0])).sigmoid()
    torch.testing.assert_close(found, torch.tensor([SURE, 0.3, 1 - SURE]))


def test_it_is_as_small_as_it_says_and_changes_nothing_untrained(rng):
    one = Spreader()
    assert sum(p.numel() for p in one.parameters()) == pytest.approx(577_000, abs=1000)
    logits = torch.randn(1, 1, 16, 16)
    assert torch.equal(one(shown(rng, (16, 16)), logits), logits)


def test_reading_it_leaves_the_users_random_numbers(monkeypatch):
    load_spreader.cache_clear()
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    load_spreader()
    assert torch.equal(torch.rand(3), expected)


def test_a_missing_or_broken_file_says_so(tmp_path, monkeypatch):
    broken = tmp_path / stroke_network.NAME
    broken.write_bytes(b"not weights")
    monkeypatch.setattr(files, "shipped", lambda name: broken)
    load_spreader.cache_clear()
    with pytest.raises(WeightsError, match=r"strokes.safetensors: is not a whole network"):
        load_spreader()
    load_spreader.cache_clear()
