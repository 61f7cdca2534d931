import pytest
import torch

from nuggy_nodes.core import InputError
from nuggy_nodes.core.refine.levels import levels


def test_levels_by_hand():
    x = torch.tensor([0.0, 0.1, 0.3, 0.5, 0.9, 1.0])
    torch.testing.assert_close(levels(x, 0.1, 0.9), torch.tensor([0.0, 0.0, 0.25, 0.5, 1.0, 1.0]))
    torch.testing.assert_close(levels(x, 0.1, 0.9, 0.5), torch.tensor([0.0, 0.0, 0.5, 0.5**0.5, 1.0, 1.0]))
    assert torch.equal(levels(x), x) and levels(torch.tensor([-0.2, 1.3])).tolist() == [0, 1]


@pytest.mark.parametrize("black,white,gamma", [(0.5, 0.5, 1), (-0.1, 1, 1), (0, 1.1, 1), (0, 1, 0), (0, 1, 11)])
def test_levels_refuse(black, white, gamma):
    with pytest.raises(InputError):
        levels(torch.zeros(1), black, white, gamma)
