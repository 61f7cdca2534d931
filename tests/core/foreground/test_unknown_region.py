"""Where an alpha is unsure, and how far its neighbourhood reaches."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage

from nuggy_nodes.core.foreground.unknown_region import REACH, near_cells, spread, unsure, unsure_cells


def test_near_cells_reach_as_far_as_they_say() -> None:
    for y, x in ((0, 0), (15, 16), (40, 31), (70, 99)):
        alpha = torch.zeros(71, 100)
        alpha[y, x] = 0.5
        near = spread(near_cells(unsure_cells(alpha)), 0, 71, 0, 100)
        rows, columns = torch.arange(71)[:, None], torch.arange(100)[None]
        distance = torch.maximum((rows - y).abs(), (columns - x).abs())
        assert bool(near[distance <= 8].all()) and not bool(near[distance > REACH].any())


def test_unsure_is_what_eight_bits_can_tell_from_0_and_1() -> None:
    steps = torch.arange(256) / 255
    assert torch.equal(unsure(steps), (torch.arange(256) > 0) & (torch.arange(256) < 255))
    alpha = torch.tensor([0.9 / 255, 1.0 / 255, 254.4 / 255, 254.6 / 255])
    assert unsure(alpha).tolist() == [False, True, True, False]  # cut off below, rounded above


def test_cells_and_their_neighbours_against_scipy(rng) -> None:
    alpha = torch.from_numpy((rng.random((37, 50)) > 0.995).astype(np.float32) * 0.5)
    blocks = np.pad(alpha.numpy() > 0, ((0, 3), (0, 6))).reshape(5, 8, 7, 8).any((1, 3))
    assert np.array_equal(unsure_cells(alpha).numpy(), blocks)
    near = ndimage.binary_dilation(blocks, np.ones((3, 3)))
    assert np.array_equal(near_cells(torch.from_numpy(blocks)).numpy(), near)
    wide = np.kron(near, np.ones((8, 8), bool))
    for top, bottom, left, right in ((0, 37, 0, 50), (3, 9, 11, 32), (16, 24, 8, 9)):
        got = spread(torch.from_numpy(near), top, bottom, left, right)
        assert np.array_equal(got.numpy(), wide[top:bottom, left:right])
