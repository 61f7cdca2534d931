"""The learned refinement: nothing where it may do nothing, the same whatever the tiles, better on what it is for."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from nuggy_nodes.core import InputError, WeightsError, recipe
from nuggy_nodes.core import shipped as files
from nuggy_nodes.core.refine import learned
from nuggy_nodes.core.refine.learned import load_refiner, refine_learned
from nuggy_nodes.core.refine.learned_network import Refiner
from nuggy_nodes.core.refine.refine import refine
from nuggy_nodes.training import drawn
from nuggy_nodes.training.scene import render

SAMPLES = Path(__file__).parents[3] / "samples"


def furry(size: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A disc with hairs, light before dark: picture, alpha, and a coarse mask in which the hairs are a veil."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - size / 2
    angle, radius = np.arctan2(y, x), np.hypot(y, x) / size
    hairs = np.clip(1.5 * np.sin(angle * 90 + 3 * np.sin(radius * 40)) - radius * 4 + 0.4, 0, 1)
    alpha = np.where(radius < 0.25, 1, np.where(radius < 0.38, hairs, 0)).astype(np.float32)
    ground = 0.25 + 0.02 * rng.standard_normal((3, size, size))
    colour = np.array([0.8, 0.7, 0.5])[:, None, None]
    image = torch.from_numpy((alpha * colour + (1 - alpha) * ground).clip(0, 1).astype(np.float32))[None]
    truth = torch.from_numpy(alpha)[None, None]
    return image, truth, F.interpolate(truth, (256, 256), mode="area")


@pytest.fixture(scope="module")
def big():
    return furry(2048)


def test_it_does_nothing_without_doubt_strength_or_a_subject_of_size(big):
    image, truth, _ = big
    assert torch.equal(refine_learned(image, truth, truth, torch.zeros_like(truth)), truth)
    assert torch.equal(refine_learned(image, truth, truth, torch.ones_like(truth), 0.0), truth)
    small = F.interpolate(image, (1024, 1024), mode="area")
    alpha, doubt = torch.rand(1, 1, 1024, 1024), torch.ones(1, 1, 1024, 1024)
    assert torch.equal(refine_learned(small, alpha, alpha, doubt, full=0.0), alpha)


@pytest.mark.parametrize("size,full,share", [(512, 0.25, 0.25), (1024, 0.25, 0.25), (1536, 0.25, 0.625),
                                             (1536, 1.0, 1.0), (2048, 0.25, 1.0)])  # fmt: skip
def test_a_small_subject_is_changed_by_its_share_unless_the_photograph_is_large(size, full, share):
    rows = (..., slice(size // 4, size // 4 + 64), slice(None))
    image, truth, _ = (x[rows] for x in furry(size))
    alpha = 0.1 + 0.8 * F.avg_pool2d(truth, 9, 1, 4)
    doubt = torch.ones_like(alpha)
    whole, found = (refine_learned(image, alpha, alpha, doubt, 0.1, f) - alpha for f in (1.0, full))
    assert whole.abs().max() > 0.01
    torch.testing.assert_close(found, share * whole, atol=1e-6, rtol=0)


@pytest.mark.slow
def test_only_what_is_in_doubt_changes_and_by_its_share(big):
    image, truth, _ = big
    doubt = torch.zeros_like(truth)
    doubt[..., 600:1100, 300:900] = 1
    soft = F.avg_pool2d(truth, 31, 1, 15)
    whole, half = refine_learned(image, soft, soft, doubt), refine_learned(image, soft, soft, doubt, 0.5)
    assert torch.equal(whole[doubt == 0], soft[doubt == 0]) and not torch.equal(whole, soft)
    inside = (whole > 0) & (whole < 1) & (half > 0) & (half < 1)
    assert inside.sum() > 1000 and float(whole[(doubt > 0) & (whole > 0)].min()) >= 1 / 255  # no dust
    torch.testing.assert_close((half - soft)[inside], (whole - soft)[inside] / 2, atol=1e-5, rtol=0)


@pytest.mark.slow
def test_tiles_change_nothing_that_is_seen(big, monkeypatch):
    image, truth, _ = big
    soft, doubt = F.avg_pool2d(truth, 31, 1, 15), torch.zeros_like(truth)
    doubt[..., 300:1000, 350:1000] = 1  # over two borders of tiles each way
    one = refine_learned(image, soft, soft, doubt)
    monkeypatch.setattr(learned, "TILE", 1024)
    assert (refine_learned(image, soft, soft, doubt) - one).abs().max() < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("kind,seed", [("fur", 2), ("fringe", 1)])
def test_drawn_hair_of_a_large_photograph_comes_nearer_to_the_truth(kind, seed):
    """Drawings of seeds that were not trained on, over a photograph that was not; the coarse mask is the truth's."""
    photo = np.array(Image.open(SAMPLES / "kitten-on-lawn.jpg").convert("RGB").resize((1024, 690)))
    rng = np.random.default_rng((99, seed))
    made = render([drawn.drawn(rng, photo, photo[::-1].copy(), 2048, kind)], "cpu")
    coarse = F.interpolate(F.avg_pool2d(made.alpha, 5, 1, 2, count_include_pad=False), (448, 448), mode="area")
    settings = recipe("balanced").part("edge")
    without, found = (refine(made.image, coarse, **settings | {"detail": d}) for d in (0.0, 0.75))
    before, after = (float((x - made.alpha).abs().mean()) for x in (without, found))
    assert after < 0.985 * before
    assert torch.equal(found, refine(made.image, coarse, **settings))  # the default


def test_colours_count_from_some_way_beyond_what_is_in_doubt():
    """The answer is that of the whole photograph, though only a window of it is worked on."""
    image, truth, _ = furry(768)
    soft, doubt = F.avg_pool2d(truth, 31, 1, 15), torch.zeros_like(truth)
    doubt[..., 330:430, 130:230] = 1
    wide = doubt.clone()
    wide[..., ::767, ::767] = 1  # the corners: the window is the photograph
    window, whole = (refine_learned(image, soft, soft, d, full=1.0) for d in (doubt, wide))
    inside = doubt > 0
    assert (whole - soft)[inside].abs().max() > 0.1
    assert (window - whole)[inside].abs().max() < 0.01  # the tiles lie elsewhere


@pytest.mark.slow
def test_an_untrained_network_changes_nothing(big):
    image, truth, _ = big
    soft, doubt = F.avg_pool2d(truth, 31, 1, 15), torch.zeros_like(truth)
    doubt[..., 800:1200, 300:700] = 1
    assert torch.equal(refine_learned(image, soft, soft, doubt, network=Refiner()), soft)


def test_a_missing_or_broken_file_says_so(tmp_path, monkeypatch):
    broken = tmp_path / "refiner.safetensors"
    broken.write_bytes(b"not weights")
    monkeypatch.setattr(files, "shipped", lambda name: broken)
    load_refiner.cache_clear()
    with pytest.raises(WeightsError, match=r"refiner.safetensors: is not a whole network"):
        load_refiner("cpu")
    load_refiner.cache_clear()


def test_a_setting_out_of_range_is_refused():
    with pytest.raises(InputError, match="detail"):
        recipe("balanced", detail=1.5)
