"""The 2x2 systems: each step against its equation, written out for every pixel or solved as one dense system."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nuggy_nodes.core.foreground.multilevel_systems import (
    EPSILON,
    STIFF,
    coarsen,
    mix_back,
    planes_of,
    relax,
    repeat,
    stiffness,
)


def planes(rng, h, w):
    """A level's planes as they come of a photograph: image, alpha and the planes."""
    image = torch.from_numpy(rng.random((3, h, w), np.float32))
    alpha = torch.from_numpy(rng.random((h, w), np.float32))
    near = torch.ones(-(-h // 8), -(-w // 8), dtype=torch.bool)
    return image, alpha, planes_of(image, alpha, near, (0, h, 0, w))


def test_planes_are_the_products_that_they_are_named_for(rng):
    image, alpha, found = planes(rng, 5, 7)
    a, i = alpha.numpy().astype(np.float64), image.numpy().astype(np.float64)
    b = 1 - a
    expected = np.stack([a * a, a * b, b * b, *(a * i), *(b * i)])
    np.testing.assert_allclose(found[:9], expected, atol=1e-6)
    np.testing.assert_allclose(found[9, :, :-1], np.abs(np.diff(a, axis=1)), atol=1e-6)
    np.testing.assert_allclose(found[10, :-1], np.abs(np.diff(a, axis=0)), atol=1e-6)
    assert float(found[9, :, -1].abs().max()) == float(found[10, -1].abs().max()) == 0


def test_there_is_no_evidence_outside_near_cells(rng):
    image, alpha, whole = planes(rng, 16, 24)
    near = torch.tensor([[True, False, True], [False, False, False]])
    found = planes_of(image, alpha, near, (4, 16, 4, 20))
    evidence = near.repeat_interleave(8, 0).repeat_interleave(8, 1)[4:16, 4:20]
    assert torch.equal(found[:9], whole[:9, 4:16, 4:20] * evidence)


def edge_energy(level, colours):
    """Sum over edges of weight times squared difference, in float64."""
    right, below = (level[k].double() for k in (9, 10))
    across, down = colours[:, :, 1:] - colours[:, :, :-1], colours[:, 1:] - colours[:, :-1]
    return float((right[:, :-1] * across**2).sum() + (below[:-1] * down**2).sum())


@pytest.mark.parametrize("size", [(8, 8), (7, 8), (8, 5), (9, 11), (2, 2), (1, 6)])
def test_a_coarse_level_has_the_energy_of_its_fine_one(rng, size):
    """Galerkin: for colours that are constant in 2x2 pixels both levels say the same, up to the quarter of the means
    and the half of the edges."""
    *_, fine = planes(rng, *size)
    coarse = coarsen(fine)
    h, w = coarse.shape[-2:]
    colours = torch.from_numpy(rng.random((6, h, w)))
    wide = colours.repeat_interleave(2, 1).repeat_interleave(2, 2)[:, : size[0], : size[1]]
    assert edge_energy(fine, wide) == pytest.approx(8 * edge_energy(coarse, colours), rel=1e-5, abs=1e-9)

    def data(level, colours):
        f, b, x = colours[:3], colours[3:], level.double()
        return float((x[0] * f**2 + 2 * x[1] * f * b + x[2] * b**2 - 2 * x[3:6] * f - 2 * x[6:9] * b).sum())

    assert data(fine, wide) == pytest.approx(4 * data(coarse, colours), rel=1e-5)


def test_relaxed_to_the_end_is_the_solution_of_the_whole_system(rng):
    h, w = 3, 4
    *_, level = planes(rng, h, w)
    n = h * w
    matrix, right = np.zeros((2 * n, 2 * n)), np.zeros((2 * n, 3))
    p = level.double().numpy().reshape(11, n)
    for i in range(n):
        y, x = divmod(i, w)
        matrix[i, i] += p[0, i]
        matrix[i, n + i] += p[1, i]
        matrix[n + i, i] += p[1, i]
        matrix[n + i, n + i] += p[2, i]
        right[i], right[n + i] = p[3:6, i], p[6:9, i]
        for j, weight in ((i + 1, p[9, i]), (i + w, p[10, i])):
            if (j == i + 1 and x + 1 < w) or (j == i + w and y + 1 < h):
                for k in (0, n):
                    s = weight + EPSILON
                    matrix[k + i, k + i] += s
                    matrix[k + j, k + j] += s
                    matrix[k + i, k + j] -= s
                    matrix[k + j, k + i] -= s
    exact = np.clip(np.linalg.solve(matrix, right).T.reshape(3, 2, h, w).transpose(1, 0, 2, 3).reshape(6, h, w), -9, 9)
    if exact.min() < 0 or exact.max() > 1:  # colours are clamped on the way: ask for colours that lie inside
        inside = 0.3 + 0.4 * torch.from_numpy(rng.random((6, h, w)))
        flat = inside.numpy().reshape(2, 3, n).transpose(0, 2, 1).reshape(2 * n, 3)
        made = (matrix @ flat).reshape(2, n, 3).transpose(0, 2, 1).reshape(6, h, w)
        level[3:9] = torch.from_numpy(made).float()
        exact = inside.numpy()
    found = relax(torch.full((6, h, w), 0.5), level, 3000)
    np.testing.assert_allclose(found, exact, atol=2e-3)


def test_a_single_pixel_has_no_neighbours_to_relax_to(rng):
    *_, level = planes(rng, 1, 1)
    start = torch.rand(6, 1, 1)
    assert torch.equal(relax(start.clone(), level, 2), start)


def test_stiffness_is_the_weight_of_a_pixels_neighbours(rng):
    a = rng.random((5, 6), np.float32)
    expected = np.full(a.shape, STIFF)
    for y in range(5):
        for x in range(6):
            for v, u in ((y, x - 1), (y, x + 1), (y - 1, x), (y + 1, x)):
                if 0 <= v < 5 and 0 <= u < 6:
                    expected[y, x] += abs(a[y, x] - a[v, u])
    np.testing.assert_allclose(stiffness(torch.from_numpy(a)), expected, atol=1e-6)


def test_mixed_back_is_the_solution_of_every_pixels_system(rng):
    colours = 0.4 + 0.2 * rng.random((6, 4, 5))
    a, image, stiff = rng.random((4, 5)), 0.4 + 0.2 * rng.random((3, 4, 5)), 0.1 + rng.random((4, 5))
    expected = np.zeros_like(colours)
    for y in range(4):
        for x in range(5):
            own = np.array([a[y, x], 1 - a[y, x]])
            matrix = np.outer(own, own) + stiff[y, x] * np.eye(2)
            for c in range(3):
                right = own * image[c, y, x] + stiff[y, x] * colours[[c, 3 + c], y, x]
                expected[[c, 3 + c], y, x] = np.linalg.solve(matrix, right)
    given = [torch.from_numpy(v).float() for v in (colours, image, a, stiff)]
    np.testing.assert_allclose(mix_back(*given), expected.clip(0, 1), atol=1e-5)


@pytest.mark.parametrize("window", [(0, 6, 0, 8), (1, 5, 3, 8), (2, 3, 7, 8), (3, 6, 0, 1)])
def test_a_window_of_the_finer_level_repeats_its_coarse_pixels(rng, window):
    colours = torch.from_numpy(rng.random((6, 3, 4), np.float32))
    wide = colours.repeat_interleave(2, 1).repeat_interleave(2, 2)
    top, bottom, left, right = window
    assert torch.equal(repeat(colours, window), wide[:, top:bottom, left:right])
