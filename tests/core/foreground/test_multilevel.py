"""The multi-level estimate: its coarse levels, its tiles, and the start that they give."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nuggy_nodes.core.foreground import multilevel
from nuggy_nodes.core.foreground.estimate import estimate_foreground
from nuggy_nodes.core.foreground.multilevel_systems import coarsen, planes_of
from nuggy_nodes.core.foreground.unknown_region import unsure, unsure_cells
from nuggy_nodes.core.ops.composite import over
from tests.core.foreground.scenes import colour_error, peer, photo, soft_alpha


def test_large_pictures_start_at_larger_blocks(monkeypatch: pytest.MonkeyPatch, scene: dict[str, torch.Tensor]) -> None:
    """Above LARGE pixels the finest blocks are 4x4; here every picture is large."""
    image, alpha, truth = scene["image"], scene["alpha"], scene["foreground"]
    small = estimate_foreground(image, alpha)
    monkeypatch.setattr(multilevel, "LARGE", 0)
    large = estimate_foreground(image, alpha)
    assert not torch.equal(small, large)
    assert colour_error(large, truth, alpha) <= colour_error(peer(image, alpha), truth, alpha)
    for size in ((1, 1), (1, 9), (5, 3), (37, 53)):
        part = estimate_foreground(image[..., : size[0], : size[1]], alpha[..., 60 : 60 + size[0], 80 : 80 + size[1]])
        assert part.shape[-2:] == size and bool(torch.isfinite(part).all())


def test_large_flat_alpha_stays_stable() -> None:
    """alpha 0.5 everywhere: the systems are of rank one at every level; the composite must still be the image."""
    image = photo("astronaut", 200, 260)
    alpha = torch.full((1, 1, 200, 260), 0.5)
    foreground, background = estimate_foreground(image, alpha, return_background=True)
    again = over(foreground, alpha, background)
    assert float((again - image).abs().max()) < 0.03


def test_the_coarsest_level_starts_at_the_mean_colours(rng):
    """One pixel: the subject's colours weighted by alpha, the background's by the rest."""
    image, alpha = torch.from_numpy(rng.random((3, 8, 8))), torch.from_numpy(rng.random((8, 8)))
    near = torch.ones(1, 1, dtype=torch.bool)
    level = planes_of(image, alpha.float(), near, (0, 8, 0, 8))
    for _ in range(3):
        level = coarsen(level)
    found = multilevel._start(level)[:, 0, 0].double()
    expected = [(image * a).sum((1, 2)) / a.sum() for a in (alpha, 1 - alpha)]
    torch.testing.assert_close(found, torch.cat(expected), atol=1e-5, rtol=0)


def test_every_unsure_pixel_is_told_once_and_tiles_hardly_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles of 16 pixels against one tile for all."""
    image, alpha = photo("astronaut", 96, 128)[0], soft_alpha(96, 128)[0, 0]
    results = []
    for side in (16, 512):
        monkeypatch.setattr(multilevel, "tile_side", lambda device, step=1, side=side: side)
        told, out = torch.zeros(96, 128), torch.zeros(6, 96, 128)

        def put(window, colours, told=told, out=out):
            top, bottom, left, right = window
            told[top:bottom, left:right] += 1
            out[:, top:bottom, left:right] = colours

        multilevel.multilevel(image, alpha, unsure_cells(alpha), put)
        assert float(told.max()) == 1 and bool((told[unsure(alpha)] == 1).all())
        results.append(out[:, unsure(alpha)])
    assert float((results[0] - results[1]).abs().max()) < 0.02


def test_tiles_of_a_level_are_those_that_hold_and_those_beside() -> None:
    cells = np.zeros((8, 8), bool)
    cells[0, 0] = True
    found = multilevel.Tiled(cells, 16).at(0, 64, 64)
    assert found.holding == [(0, 16, 0, 16)]
    assert sorted(found.beside) == [(0, 16, 16, 32), (16, 32, 0, 16), (16, 32, 16, 32)]
    coarse = multilevel.Tiled(cells, 16).at(2, 16, 16)
    assert coarse.holding == [(0, 16, 0, 16)] and coarse.beside == []
    assert list(multilevel.Tiled(cells, 32).trimmed(cells, 64, 64)) == [(0, 8, 0, 8)]
    middle = np.zeros((8, 8), bool)
    middle[5, 5] = True
    assert len(multilevel.Tiled(middle, 16).at(0, 64, 64).beside) == 8
    cells[7, 6] = True
    assert list(multilevel.Tiled(cells, 64).trimmed(cells, 62, 63)) == [(0, 62, 0, 56)]
