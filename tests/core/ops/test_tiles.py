"""A picture cut into tiles."""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core.ops.tiles import CPU_TILE, DEVICE_TILE, bounds, even_tiles, tile_side, tiles


@pytest.mark.parametrize(("height", "width", "side"), [(10, 7, 4), (4, 4, 4), (1, 9, 2), (5, 3, 100)])
def test_every_pixel_lies_in_one_tile(height, width, side):
    count = torch.zeros(height, width)
    for top, bottom, left, right in tiles(height, width, side):
        assert top % side == left % side == 0 and 0 < bottom - top <= side and 0 < right - left <= side
        assert bottom <= height and right <= width
        count[top:bottom, left:right] += 1
    assert bool((count == 1).all())


@pytest.mark.parametrize("step", [1, 16])
@pytest.mark.parametrize("size", [(10, 7), (640, 1601), (1000, 1000), (961, 31), (1, 1), (0, 9)])
def test_even_tiles_are_of_about_one_size(size, step):
    count, areas = torch.zeros(size), []
    for top, bottom, left, right in even_tiles(*size, (640, 480), step):
        assert top % step == left % step == 0
        count[top:bottom, left:right] += 1
        areas.append((bottom - top) * (right - left))
    assert bool((count == 1).all())
    wanted = max(round(size[0] / 640), 1) * max(round(size[1] / 480), 1)
    assert len(areas) == (wanted if size[0] else 0)
    assert not areas or max(areas) <= 1.2 * min(areas)


@pytest.mark.parametrize(("step", "side"), [(1, CPU_TILE), (8, CPU_TILE), (96, 192), (1000, 1000)])
def test_a_side_is_a_multiple_of_the_step(step, side):
    assert tile_side(torch.device("cpu"), step) == side
    assert tile_side(torch.device("cuda")) == DEVICE_TILE


@pytest.mark.parametrize("around,wanted", [(0, (2, 6, 3, 4)), (1, (1, 7, 2, 5)), (9, (0, 8, 0, 7))])
def test_the_window_of_what_is_true(around, wanted):
    mask = torch.zeros(8, 7, dtype=torch.bool)
    assert bounds(mask, around) is None
    mask[2, 3] = mask[5, 3] = True
    assert bounds(mask, around) == wanted
