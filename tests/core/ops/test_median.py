import numpy as np
import pytest
import torch

from nuggy_nodes.core.ops.median import lower_median


@pytest.mark.parametrize("count", range(1, 8))
def test_the_lower_median_is_a_place_in_the_sorted_values(count):
    """Against NumPy's sort, over values with ties."""
    planes = np.random.default_rng(count).integers(0, 5, (count, 2, 1, 7, 9)).astype(np.float32)
    wanted = np.sort(planes, 0)[(count - 1) // 2]
    np.testing.assert_array_equal(lower_median(torch.from_numpy(planes)).numpy(), wanted)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_what_is_no_number_stays_none(count):
    planes = torch.zeros(count, 4)
    planes[count - 1, 2] = torch.nan
    assert lower_median(planes).isnan().tolist() == [False, False, True, False]
