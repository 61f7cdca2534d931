"""Where an alpha is unsure, and how far its neighbourhood reaches."""

from __future__ import annotations

import torch

from nuggy_nodes.core.foreground.unknown_region import REACH, near_cells, spread, unsure_cells


def test_near_cells_reach_as_far_as_they_say() -> None:
    for y, x in ((0, 0), (15, 16), (40, 31), (70, 99)):
        alpha = torch.zeros(71, 100)
        alpha[y, x] = 0.5
        near = spread(near_cells(unsure_cells(alpha)), 0, 71, 0, 100)
        rows, columns = torch.arange(71)[:, None], torch.arange(100)[None]
        distance = torch.maximum((rows - y).abs(), (columns - x).abs())
        assert bool(near[distance <= 8].all()) and not bool(near[distance > REACH].any())
