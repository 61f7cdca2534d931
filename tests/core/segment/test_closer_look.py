"""Closer looks, with a stand-in network whose answer is known: the green channel at half its size."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nuggy_nodes.core import InputError, Network, View, cutout, recipe
from nuggy_nodes.core.network.metadata import Info
from nuggy_nodes.core.segment.closer_look import WHOLE, closer_look, larger_look, look, squares

GRID, LARGE = 1024, 2048


class Green(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.anchor, self.calls = torch.nn.Parameter(torch.zeros(1)), 0

    def forward(self, x):
        self.calls += len(x)
        p = F.avg_pool2d(x[:, 1:2], 2).clamp(1e-4, 1 - 1e-4)
        return (p / (1 - p)).log()


@pytest.fixture
def green() -> Network:
    return Network(Green(), Info(mean=(0, 0, 0)), None)


def photograph(alpha: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(alpha.astype(np.float32))[None, None].expand(1, 3, -1, -1).clone()


@pytest.mark.parametrize("size,which,tiles", [
    ((2048, 2048), 2, 9), ((1500, 2101), 2, 9), ((2050, 1203), 2, 9),
    pytest.param((1500, 2101), 3, 25, marks=pytest.mark.slow)])  # fmt: skip
def test_tiles_meet_without_a_seam(green, size, which, tiles):
    """Where all is undecided, the answer is the photograph itself on the finer grid: tiles lie where they should."""
    y, x = np.mgrid[0 : size[0], 0 : size[1]]
    image = photograph(0.5 + 0.4 * np.sin(x / 61) * np.cos(y / 47))
    out = closer_look(green, image, torch.full((1, 1, 448, 448), 0.55), which)
    grid = GRID * (which - 1)
    expected = F.interpolate(image[:, 1:2], size=(grid, grid), mode="bilinear", antialias=True)
    assert out.shape == (1, 1, grid, grid) and green.model.calls == tiles
    assert (out - expected).abs().max() < 0.02  # half a pixel where the sides are odd, and the antialiasing twice


def test_only_places_near_undecided_ones_change(green):
    first = torch.zeros(1, 1, 512, 512)
    first[..., :200, :200], first[..., 200:204, :200] = 1, 0.5
    image = photograph(np.zeros((LARGE, LARGE)))
    image[..., : 4 * 202, : 4 * 200] = 1
    image[..., 2 * 428 : 2 * 434, 200:600] = 0.5  # the network would see something there, 20 cells beyond
    out = closer_look(green, image, first)
    on_grid = F.interpolate(first, size=(GRID, GRID), mode="bilinear")
    rows = torch.arange(GRID)
    near = 12  # cells, around those that the first look left undecided, which enlarging widens by one
    far = ((rows < 399 - near) | (rows > 408 + near))[:, None] & ((rows - 400).abs() > 2 + near)
    assert float(green.model(image)[0, 0, 431, 200].sigmoid()) > 0.4  # it would
    green.model.calls = 0
    assert torch.equal(out[0, 0][far], on_grid[0, 0][far])
    assert out[0, 0, 402, 100] > 0.95 and out[0, 0, 406, 100] < 0.05  # told apart where the first look was undecided
    assert green.model.calls < 9  # tiles without an undecided place are not asked


def test_a_decided_mask_asks_for_nothing(green):
    first = torch.zeros(1, 1, 512, 512)
    steps = []
    out = closer_look(green, photograph(np.ones((LARGE, 900))), first, progress=lambda *a: steps.append(a))
    assert torch.equal(out, torch.zeros(1, 1, GRID, GRID)) and green.model.calls == 0 and steps == [(0, 1)]


def test_a_tile_that_contradicts_the_sure_is_not_believed(green):
    """The tile calls all of it subject; the first look was sure of the opposite in most of it."""
    first = torch.zeros(1, 1, 512, 512)
    first[..., 250:262, :] = 0.5
    out = closer_look(green, photograph(np.ones((LARGE, LARGE))), first)
    assert (out - F.interpolate(first, size=(GRID, GRID), mode="bilinear")).abs().max() < 1e-6


@pytest.mark.slow
def test_the_pipeline_looks_again_at_large_photographs_only(network, monkeypatch):
    monkeypatch.setattr("nuggy_nodes.core.segment.closer_look.VIEW", View(256))  # small squares: the rule is the same
    settings = recipe("best", views=(View(256),), combine="mean", passes=1)
    with pytest.raises(InputError, match="looks"):
        recipe("best", looks=4)
    y, x = np.mgrid[0:1400, 0:LARGE]
    disc = np.clip(400 - np.hypot(y - 700, x - 1000) + 60 * np.sin(x / 5), 0, 1)
    image = 0.2 + 0.6 * photograph(disc)
    shares: list[float] = []
    twice = cutout(image, network, settings, report=lambda stage, share: shares.append(share))
    assert shares == sorted(shares) and shares[-1] == 1
    once = cutout(image, network, recipe(settings, looks=1))
    assert twice.alpha.shape == once.alpha.shape == (1, 1, 1400, LARGE)
    assert (twice.alpha - once.alpha).abs().max() > 0.05
    finer = recipe(settings, views=(WHOLE[0],))  # nothing larger is left to be shown
    small = image[..., :-1]
    assert torch.equal(cutout(small, network, finer).alpha, cutout(small, network, recipe(finer, looks=1)).alpha)


@pytest.mark.slow
def test_a_batch_is_looked_at_picture_by_picture_with_one_count_of_squares(green):
    y, x = np.mgrid[0:900, 0:LARGE]
    one, other = (photograph(0.5 + 0.4 * np.sin(x / a) * np.cos(y / b)) for a, b in ((61, 47), (37, 90)))
    steps: list[tuple[int, int]] = []
    views = (View(256), View(256, flip=True))
    both = look(green, torch.cat((one, other)), views, looks=2, progress=lambda *a: steps.append(a))
    assert torch.equal(both, torch.cat([look(green, i, views, looks=2) for i in (one, other)]))
    assert steps == sorted(steps) and steps[0] == (0, 22) and steps[-1] == (22, 22) and len(steps) > 18
    once = look(green, one, views, progress=lambda *a: steps.append(a))
    assert once.shape == (1, 1, 128, 128) and steps[-1] == (2, 2)


def test_a_smaller_photograph_is_looked_at_whole(green):
    """Undecided everywhere, it is the photograph itself on the finer grid; where all is decided, nothing is asked."""
    y, x = np.mgrid[0:300, 0:420]
    image = photograph(0.5 + 0.4 * np.sin(x / 31) * np.cos(y / 23))
    steps: list[tuple[int, int]] = []
    views = (View(256), View(256, flip=True))
    out = look(green, image, views, looks=2, progress=lambda *a: steps.append(a))
    expected = F.interpolate(image[:, 1:2], size=(576, 576), mode="bilinear")
    assert out.shape == (1, 1, 576, 576) and green.model.calls == 4
    assert (out - expected).abs().max() < 0.01
    assert steps == sorted(steps) and steps[-1] == (4, 4)
    assert torch.equal(out, larger_look(green, image, look(green, image, views)))
    green.model.calls = 0
    steps.clear()
    decided = torch.zeros(1, 1, 448, 448)
    assert torch.equal(larger_look(green, image, decided), torch.zeros(1, 1, 576, 576)) and green.model.calls == 0
    look(green, photograph(np.zeros((300, 420))), views, looks=2, progress=lambda *a: steps.append(a))
    assert green.model.calls == 2 and steps[-1] == (4, 4)  # told as done, though not asked


def test_a_larger_look_brings_no_other_subject_and_takes_none(green):
    """Only near what was undecided does it count, and only with those around whom it agrees."""
    before = torch.zeros(1, 1, 576, 576)
    before[..., 200:400, 200:400] = 1
    before[..., 198:200, 200:400] = 0.5
    image = photograph(np.zeros((576, 576)))
    image[..., 199:400, 200:400] = 1
    image[..., 20:120, 20:120] = 1  # another, which the first look did not take
    image[..., 300:350, 300:350] = 0  # and a hole in the body
    out = larger_look(green, image, before)
    far = torch.ones(576, 576, dtype=torch.bool)
    far[180:220, 180:420] = False
    assert torch.equal(out[0, 0][far], before[0, 0][far])
    assert out[..., 199, 220:380].min() > 0.7 and out[..., 197, 220:380].max() < 0.3


def test_another_network_is_not_looked_at_larger(green, monkeypatch):
    form = replace(green.form, measured=False)
    monkeypatch.setattr(type(green), "form", form)
    before = torch.full((1, 1, 448, 448), 0.5)
    assert larger_look(green, photograph(np.ones((300, 300))), before) is before and green.model.calls == 0


@pytest.mark.slow
def test_a_third_look_from_3072_pixels_on(green):
    views = (View(256),)
    assert [squares(900, w, views, 3) for w in (2047, 2048, 3071, 3072)] == [3, 10, 10, 35]
    assert squares(900, 900, (WHOLE[0],), 3) == 1 == squares(900, 900, views, 1)
    assert squares(3072, 900, views, 2) == 10 and squares(5000, 5000, views, 1) == 1
    y, x = np.mgrid[0:700, 0:3072]
    image = photograph(0.5 + 0.4 * np.sin(x / 61) * np.cos(y / 47))
    steps: list[tuple[int, int]] = []
    out = look(green, image, views, looks=3, progress=lambda *a: steps.append(a))
    assert out.shape[-2:] == (2048, 2048) and steps == sorted(steps) and steps[-1] == (35, 35)
    twice = look(green, image, views, looks=2)
    assert torch.equal(out, closer_look(green, image, twice, 3))


def test_a_body_that_was_sure_stays(green):
    """The tiles see nothing at all; only what lies near the undecided edge may go."""
    first = torch.zeros(1, 1, 512, 512)
    first[..., 100:400, 100:400] = 1
    first[..., 98:100, 100:400] = 0.5
    out = closer_look(green, photograph(np.zeros((LARGE, LARGE))), first)
    on_grid = F.interpolate(first, size=(GRID, GRID), mode="bilinear")
    assert torch.equal(out[..., 230:780, 220:780], on_grid[..., 230:780, 220:780])
