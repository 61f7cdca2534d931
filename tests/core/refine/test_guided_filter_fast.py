import cv2
import numpy as np
import pytest
import torch

from nuggy_nodes.core import InputError
from nuggy_nodes.core.refine.guided_filter import guided_filter
from nuggy_nodes.core.refine.guided_filter_fast import cell_of, fast_guided_filter


def test_a_cell_is_at_most_an_eighth_of_the_radius():
    cells = [cell_of(r) for r in range(1, 400)]
    assert all(c == 1 or r / c >= 8 for r, c in enumerate(cells, 1))
    assert all(r / (2 * c) < 8 for r, c in enumerate(cells, 1)), "and no smaller than it must be"
    assert all(c & (c - 1) == 0 for c in cells)


def test_a_small_window_is_fitted_in_full():
    guide, src = torch.rand(2, 3, 40, 50), torch.rand(2, 1, 40, 50)
    assert torch.equal(fast_guided_filter(guide, src, 15, 1e-3), guided_filter(guide, src, 15, 1e-3))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("radius,size", [(16, (160, 203)), (40, (301, 257)), (64, (96, 40)), (20, (3, 70))])
def test_against_the_papers_steps(rng, channels, radius, size):
    """The reduced picture's coefficients by a solve in every cell's window in float64, enlarged by OpenCV. Away from
    partial cells, at which the two enlargements differ."""
    cell, epsilon = cell_of(radius), 1e-3
    guide, src = rng.random((*size, channels)), rng.random(size)
    down, across = (-(-n // cell) for n in size)
    small = np.empty((down, across, channels + 1))
    for y in range(down):
        for x in range(across):
            at = slice(y * cell, (y + 1) * cell), slice(x * cell, (x + 1) * cell)
            small[y, x] = [*guide[at].mean((0, 1)), src[at].mean()]
    reach, planes = round(radius / cell), np.empty((down, across, channels + 1))
    windows = [(slice(max(y - reach, 0), y + reach + 1), slice(max(x - reach, 0), x + reach + 1))
               for y in range(down) for x in range(across)]  # fmt: skip
    for i, at in enumerate(windows):
        seen = small[at].reshape(-1, channels + 1)
        colours, p = seen[:, :-1], seen[:, -1]
        off = colours - colours.mean(0)
        a = np.linalg.solve(off.T @ off / len(off) + epsilon * np.eye(channels), off.T @ (p - p.mean()) / len(off))
        planes[i // across, i % across] = [*a, p.mean() - a @ colours.mean(0)]
    smooth = np.stack([planes[at].mean((0, 1)) for at in windows]).reshape(planes.shape)
    wide = cv2.resize(smooth, (across * cell, down * cell), interpolation=cv2.INTER_LINEAR)[: size[0], : size[1]]
    wanted = (wide[..., :-1] * guide).sum(-1) + wide[..., -1]
    shown = torch.from_numpy(np.ascontiguousarray(guide.transpose(2, 0, 1), np.float32))[None]
    got = fast_guided_filter(shown, torch.from_numpy(src.astype(np.float32))[None, None], radius, epsilon)
    np.testing.assert_allclose(got[0, 0].numpy(), wanted, atol=2e-4)


def test_near_the_whole_fit_on_a_photograph(chelsea):
    """What the approximation costs: little where the picture is smooth within a cell."""
    alpha = (chelsea[:, :1] > 0.5).float()
    whole, fast = (f(chelsea, alpha, 32, 1e-2) for f in (guided_filter, fast_guided_filter))
    assert (whole - fast).abs().mean() < 0.02 and not torch.equal(whole, fast)


def test_a_batch_is_one_by_one_and_half_precision_is_near():
    rng = torch.Generator().manual_seed(3)
    guide, src = torch.rand(2, 3, 70, 90, generator=rng), torch.rand(2, 1, 70, 90, generator=rng)
    both = fast_guided_filter(guide, src, 16, 1e-3)
    for i in range(2):
        assert torch.equal(both[i : i + 1], fast_guided_filter(guide[i : i + 1], src[i : i + 1], 16, 1e-3))
    assert (fast_guided_filter(guide.half(), src, 16, 1e-3) - both).abs().max() < 5e-3


def test_a_smaller_src_is_enlarged_first():
    rng = torch.Generator().manual_seed(4)
    guide, small = torch.rand(1, 3, 64, 80, generator=rng), torch.rand(1, 1, 16, 20, generator=rng)
    large = torch.nn.functional.interpolate(small, size=(64, 80), mode="bilinear", align_corners=False)
    assert torch.equal(fast_guided_filter(guide, small, 16, 1e-3), fast_guided_filter(guide, large, 16, 1e-3))


@pytest.mark.parametrize("guide,src,radius,epsilon,words", [
    ((1, 2, 40, 40), (1, 1, 40, 40), 16, 1e-3, "guide"), ((1, 3, 40, 40), (1, 3, 40, 40), 16, 1e-3, "src"),
    ((2, 3, 40, 40), (3, 1, 40, 40), 16, 1e-3, "src"), ((1, 3, 40, 40), (1, 1, 40, 40), 16.5, 1e-3, "radius"),
    ((1, 3, 40, 40), (1, 1, 40, 40), 16, 0.0, "epsilon")])  # fmt: skip
def test_bad_input(guide, src, radius, epsilon, words):
    with pytest.raises(InputError, match=words):
        fast_guided_filter(torch.rand(guide), torch.rand(src), radius, epsilon)
