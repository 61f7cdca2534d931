import numpy as np
import pytest
import torch
from scipy import ndimage

from nuggy_nodes.core.ops.box_filter import _box_mean_torch, box_mean

SHAPES = [(1, 1), (1, 9), (7, 1), (13, 17), (40, 31)]


def slow(x, radius):
    """Means over the window's part inside the picture, in float64."""
    size = 2 * radius + 1
    total = ndimage.uniform_filter(x.astype(np.float64), (1, 1, size, size), mode="constant")
    count = ndimage.uniform_filter(np.ones(x.shape), (1, 1, size, size), mode="constant")
    return total / count


@pytest.mark.parametrize("height,width", SHAPES)
@pytest.mark.parametrize("radius", [1, 2, 5, 60])
def test_both_paths_against_scipy(rng, height, width, radius):
    x = rng.random((2, 3, height, width)).astype(np.float32)
    expected = slow(x, radius)
    t = torch.from_numpy(x)
    np.testing.assert_allclose(box_mean(t, radius).numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(_box_mean_torch(t, radius), expected, atol=1e-6)


def test_non_contiguous_and_untouched_input(rng):
    x = torch.from_numpy(rng.random((1, 20, 30, 2)).astype(np.float32)).permute(0, 3, 1, 2)
    before = x.clone()
    np.testing.assert_allclose(box_mean(x, 3).numpy(), slow(x.numpy(), 3), atol=1e-6)
    assert torch.equal(x, before)


def test_torch_path_keeps_float32_over_a_long_row():
    """Sums within blocks: a whole-row running sum in float32 would lose 1e-3 here."""
    x = torch.full((1, 1, 1, 200_000), 0.9)
    x[..., ::2] += 1e-4
    assert (_box_mean_torch(x, 64) - 0.90005).abs().max() < 1e-6
