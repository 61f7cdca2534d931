import pytest
import torch
import torch.nn.functional as F

from nuggy_nodes.core.ops import cells
from nuggy_nodes.core.ops.cells import cell_means, cell_sums, in_pixels, in_strips


def noise(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(len(shape) + shape[-1]))


@pytest.mark.parametrize("cell", [1, 2, 3, 4, 16])
def test_sums_are_the_blocks_sums(cell):
    x = noise(3, 5 * cell, 7 * cell)
    blocks = x.double().unflatten(2, (7, cell)).unflatten(1, (5, cell)).sum((2, 4))
    torch.testing.assert_close(cell_sums(x, cell).double(), blocks, atol=1e-4, rtol=0)


@pytest.mark.parametrize("shape", [(1, 64, 64), (3, 37, 41), (2, 1, 9), (3, 5, 1), (1, 700, 515)])
@pytest.mark.parametrize("cell", [2, 4, 8])
def test_means_are_those_of_what_a_cell_has(shape, cell):
    """Against torch's pooling in float64, partial cells at the border included."""
    x = noise(*shape)
    wanted = F.avg_pool2d(x[None].double(), cell, ceil_mode=True, count_include_pad=False)[0]
    torch.testing.assert_close(cell_means(x, cell).double(), wanted, atol=1e-6, rtol=0)
    half = cell_means(x.half(), cell)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half.double(), wanted, atol=1e-3, rtol=0)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_strips_begin_with_a_cell_and_leave_no_row_out(device, monkeypatch):
    monkeypatch.setattr(cells, "STRIP", 1000)
    seen = []
    in_strips(lambda top, bottom: seen.append((top, bottom)), 250, 90, 8, torch.device(device))
    seen.sort()
    assert [top for top, _ in seen[1:]] == [bottom for _, bottom in seen[:-1]] and all(t % 8 == 0 for t, _ in seen)
    assert (seen[0][0], seen[-1][1]) == (0, 250) and (len(seen) > 20) == (device == "cpu")


@pytest.mark.parametrize("cell", [1, 2, 3, 4, 16])
@pytest.mark.parametrize("window", [(0, 40, 0, 56), (8, 40, 16, 56), (5, 23, 1, 2), (39, 40, 55, 56), (0, 1, 0, 56)])
def test_a_window_of_the_values_is_the_wholes(window, cell):
    """Bilinear enlargement of all cells, cut; of cells of 4 a picture of 40x56 pixels has just these."""
    values = noise(2, 3, 40, 56)[..., : -(-40 // cell), : -(-56 // cell)]
    whole = F.interpolate(values, scale_factor=cell, mode="bilinear", align_corners=False)
    top, bottom, left, right = window
    torch.testing.assert_close(in_pixels(values, cell, window), whole[..., top:bottom, left:right], atol=1e-6, rtol=0)
