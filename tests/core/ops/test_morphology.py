import numpy as np
import pytest
import scipy.ndimage as ndimage
import torch

from nuggy_nodes.core.ops.morphology import grown, largest, opening, shrunk, smallest


@pytest.fixture
def plane(rng):
    return rng.random((23, 31)).astype(np.float32)


def tensor(x):
    return torch.from_numpy(x)[None, None]


@pytest.mark.parametrize("radius", [0, 1, 3])
def test_largest_smallest_and_opening_are_scipys(plane, radius):
    size = 2 * radius + 1
    for ours, theirs, outside in ((largest, ndimage.maximum_filter, 0.0), (smallest, ndimage.minimum_filter, 1.0)):
        wanted = theirs(plane, size, mode="constant", cval=outside)
        np.testing.assert_array_equal(ours(tensor(plane), radius)[0, 0].numpy(), wanted)
    eroded = ndimage.minimum_filter(plane, size, mode="constant", cval=1.0)
    wanted = np.minimum(ndimage.maximum_filter(eroded, size, mode="constant", cval=0.0), plane)
    np.testing.assert_array_equal(opening(tensor(plane), radius)[0, 0].numpy(), wanted)


@pytest.mark.parametrize("reach", [3, 5, 12, 20])
def test_a_point_grows_to_a_disc_within_a_tenth(reach):
    point = torch.zeros(1, 1, 61, 61)
    point[..., 30, 30] = 1
    y, x = np.nonzero(grown(point, reach)[0, 0].numpy() > 0)
    inside = np.hypot(y - 30, x - 30)
    assert y.max() - 30 == x.max() - 30 == reach and inside.max() <= 1.13 * reach + 0.5
    assert len(inside) == pytest.approx(np.pi * (reach + 0.5) ** 2, rel=0.2)


def test_a_part_of_a_pixel_moves_an_edge_by_that_part():
    step = torch.zeros(1, 1, 8, 40)
    step[..., :20] = 1
    for reach in (0.25, 1.5, 3.75):
        assert grown(step, reach)[0, 0, 4].sum().item() == pytest.approx(20 + reach, abs=1e-5)
        assert shrunk(step, reach)[0, 0, 4].sum().item() == pytest.approx(20 - reach, abs=1e-5)
    assert torch.equal(grown(step, 0), step) and torch.equal(shrunk(step, 0), step)
