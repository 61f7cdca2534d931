"""Closer looks, with a stand-in network whose answer is known: the green channel at half its size."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nuggy_nodes.core import InputError, Network, View, cutout, recipe
from nuggy_nodes.core.network.metadata import Info
from nuggy_nodes.core.segment.closer_look import agreement, attached, closer_look, look, sharpened, squares

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
    small = image[..., :-1]
    assert torch.equal(cutout(small, network, settings).alpha, cutout(small, network, recipe(settings, looks=1)).alpha)


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


@pytest.mark.slow
def test_a_third_look_from_3072_pixels_on(green):
    views = (View(256),)
    assert [squares(900, w, views, 3) for w in (2047, 2048, 3071, 3072)] == [1, 10, 10, 35]
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


def test_what_floats_free_goes_back(rng):
    """Against scipy's labels: every piece that the look has must hold a pixel of the mask before."""
    import scipy.ndimage as ndimage

    found = (ndimage.gaussian_filter(rng.random((120, 140)), 3) > 0.52).astype(np.float32)
    before = found * (ndimage.gaussian_filter(rng.random((120, 140)), 6) > 0.5)
    out = attached(*(torch.from_numpy(a.astype(np.float32))[None, None] for a in (found, before)))[0, 0].numpy()
    labels, count = ndimage.label(found > 0.5, np.ones((3, 3)))
    touching = {n for n in range(1, count + 1) if (before[labels == n] > 0.5).any()}
    assert 0 < len(touching) < count
    for n in range(1, count + 1):
        wanted = found if n in touching else before
        inside = labels == n
        near_loose = ndimage.binary_dilation(
            np.isin(labels, list(set(range(1, count + 1)) - touching)), np.ones((5, 5))
        )
        inside &= ~near_loose if n in touching else inside
        assert np.array_equal(out[inside], wanted[inside])


def test_agreement_is_what_it_says(rng, monkeypatch):
    monkeypatch.setattr("nuggy_nodes.core.segment.closer_look.AROUND", 3)
    before = rng.choice([0.0, 0.3, 1.0], (20, 22), p=[0.4, 0.2, 0.4])
    seen = np.clip(before + rng.normal(0, 0.2, before.shape), 0, 1)
    got = agreement(*(torch.from_numpy(a.astype(np.float32))[None, None] for a in (seen, before)))[0, 0]
    for y, x in ((0, 0), (5, 9), (19, 21), (10, 3)):
        part = slice(max(y - 3, 0), y + 4), slice(max(x - 3, 0), x + 4)
        trust = 1.0
        for sure in (before[part] > 0.95, before[part] < 0.05):
            if sure.any():
                wrong = np.abs(seen[part] - before[part])[sure].mean()
                trust = min(trust, float(np.clip((0.3 - wrong) / 0.2, 0, 1)))
        assert got[y, x].item() == pytest.approx(trust, abs=1e-4)


def test_a_wide_faint_area_is_not_raised_and_a_narrow_one_is():
    before = torch.zeros(1, 1, 512, 512)
    found = before.clone()
    for rows, alpha in ((slice(40, 43), 0.2), (slice(100, 160), 0.2), (slice(200, 260), 0.55)):
        before[..., rows, 50:400] = alpha
        found[..., rows, 50:400] = 0.95
    out = sharpened(found, before)
    assert torch.equal(out[..., 40:43, 60:390], found[..., 40:43, 60:390])  # a strand
    assert (out[..., 100:160, 50:400] - 0.2).abs().max() < 1e-6  # another thing
    assert torch.equal(out[..., 200:260, 50:400], found[..., 200:260, 50:400])  # undecided: a look may tell
    torch.testing.assert_close(sharpened(1 - found, 1 - before), 1 - out)  # a body is held as background is
