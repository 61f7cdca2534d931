"""The features that strokes are spread by: distances against brute force, each channel against its closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nuggy_nodes.core.segment.stroke_features import CHANNELS, NEAR, SHORTEST, colours, distance, features


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (13, 1), (17, 24), (40, 7)])
@pytest.mark.parametrize("share", [0.02, 0.3, 1.0])
def test_distances_are_those_to_the_nearest_marked_cell(rng, size, share):
    cells = rng.random(size) < share
    cells[rng.integers(size[0]), rng.integers(size[1])] = True
    ys, xs = np.nonzero(cells)
    y, x = np.mgrid[: size[0], : size[1]]
    expected = np.sqrt(((y[..., None] - ys) ** 2 + (x[..., None] - xs) ** 2).min(-1))
    np.testing.assert_allclose(distance(torch.from_numpy(cells)).numpy(), expected, atol=1e-5)


def test_where_nothing_is_marked_everything_is_infinitely_far():
    assert bool(distance(torch.zeros(5, 4, dtype=torch.bool)).isinf().all())


def test_the_strokes_channels_are_where_they_lie_and_how_near(rng):
    image, mask = torch.from_numpy(rng.random((3, 40, 60))).float(), torch.from_numpy(rng.random((40, 60))).float()
    line, point = torch.zeros(40, 60, dtype=torch.bool), torch.zeros(40, 60, dtype=torch.bool)
    line[10, 20:31], point[30, 50] = True, True
    found = features(image, mask, [(True, line), (False, point)])[0]
    assert found.shape == (CHANNELS, 40, 60)
    assert torch.equal(found[:3], colours(image)) and torch.equal(found[3], mask * 2 - 1)
    assert torch.equal(found[4], line.float()) and torch.equal(found[5], point.float())
    length, shortest = (11**2 + 1) ** 0.5, SHORTEST * 60
    assert float(found[6, 18, 25]) == pytest.approx(np.exp(-((8 / length) ** 2) / 2), rel=1e-5)
    assert shortest < 2**0.5, "a point is as long as its cell's diagonal here"
    assert float(found[7, 30, 48]) == pytest.approx(np.exp(-(2**2 / 2) / 2), rel=1e-5)
    assert float(found[8, 10, 36]) == pytest.approx(np.exp(-6 / (NEAR * 60)), rel=1e-5)
    assert float(found[9, 30, 50]) == 1


def test_without_strokes_nothing_is_near():
    assert float(features(torch.rand(3, 8, 8), torch.rand(8, 8), [])[0, 4:].abs().max()) == 0


def test_grey_has_no_opponent_colour_and_middle_grey_no_brightness():
    found = colours(torch.full((3, 2, 2), 0.5))
    assert float(found.abs().max()) < 1e-6
    red = torch.zeros(3, 1, 1)
    red[0] = 1
    torch.testing.assert_close(colours(red).flatten(), torch.tensor([2.1 * (1 / 3 - 0.5), 3.0, 1.0]))
