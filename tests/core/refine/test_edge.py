import numpy as np
import pytest
import scipy.ndimage as ndimage
import torch

from nuggy_nodes.core.refine.edge import adjust_edge, shift, soften


@pytest.fixture
def head():
    """A disc with a hair two pixels wide and a floating string one pixel wide."""
    y, x = np.mgrid[:120, :160]
    mask = (np.hypot(y - 60, x - 60) < 30).astype(np.float32)
    mask[59:61, 85:140] = 1
    mask[10, 20:120] = 1
    return torch.from_numpy(mask)[None, None]


@pytest.mark.parametrize("pixels", [0.5, 1, 3.25, 5])
def test_outward_the_disc_grows_by_so_many_pixels(head, pixels):
    rows = shift(head, pixels)[0, 0, :, 60].numpy()
    assert rows[31:90].min() == 1
    assert rows[25:].sum() == pytest.approx(head[0, 0, 25:, 60].sum().item() + 2 * pixels, abs=0.2)


@pytest.mark.parametrize("pixels", [-0.5, -1, -3.25, -10])
def test_inward_the_disc_shrinks_and_strands_stay(head, pixels):
    out = shift(head, pixels)
    assert out[0, 0, 25:, 60].sum().item() == pytest.approx(head[0, 0, 25:, 60].sum().item() + 2 * pixels, abs=0.2)
    assert torch.equal(out[..., 10, 20:120], head[..., 10, 20:120])
    assert out[..., 59:61, 70:140].min() == 1  # from the body to the hair's end without a gap
    assert (out <= head).all()


def test_inward_no_corner_is_left_behind():
    square = torch.zeros(1, 1, 60, 60)
    square[..., 15:45, 15:45] = 1
    out = shift(square, -6)
    assert out[..., :20, :].max() == 0 and out[..., :, 40:].max() == 0 and out[..., 25:35, 25:35].min() == 1


@pytest.mark.parametrize("pixels", [0.7, 3.0, 12.5])
def test_feather_is_scipys_gaussian(rng, pixels):
    mask = rng.random((40, 50)).astype(np.float32)
    wanted = ndimage.gaussian_filter(mask.astype(np.float64), pixels, mode="nearest", truncate=4.0)
    np.testing.assert_allclose(soften(torch.from_numpy(mask)[None, None], pixels)[0, 0].numpy(), wanted, atol=2e-4)


def test_zero_changes_nothing_and_batches_do_not_meet(head):
    assert adjust_edge(head) is head
    both = adjust_edge(torch.cat((head, head.flip(-1))), shift_edge=-2, feather=1.5)
    torch.testing.assert_close(both[:1], adjust_edge(head, shift_edge=-2, feather=1.5))
    torch.testing.assert_close(both[1:], adjust_edge(head.flip(-1), shift_edge=-2, feather=1.5))
    empty = torch.zeros(1, 1, 9, 7)
    assert torch.equal(adjust_edge(empty, shift_edge=-20, feather=9), empty)
    torch.testing.assert_close(adjust_edge(1 - empty, shift_edge=20, feather=50), 1 - empty)
