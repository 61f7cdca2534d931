"""The matting-Laplacian solve against matrices built entry by entry in float64, and against pymatting."""

import numpy as np
import pytest
import torch

from nuggy_nodes.core.errors import InputError
from nuggy_nodes.core.guided import guided_filter
from nuggy_nodes.core.matting import Laplacian, certainty, solve

SIDE = (9, 11)


def picture(height: int = SIDE[0], width: int = SIDE[1], seed: int = 0) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def dense(guide: torch.Tensor, radius: int, epsilon: float, whole_windows: bool = False) -> np.ndarray:
    """L of Levin et al. (equation 12), window by window: I - H, H the hat matrix of ridge regression on the colours."""
    colours = guide[0].permute(1, 2, 0).double().numpy()
    height, width = colours.shape[:2]
    out = np.zeros((height * width, height * width))
    index = np.arange(height * width).reshape(height, width)
    for y in range(height):
        for x in range(width):
            if whole_windows and not (radius <= y < height - radius and radius <= x < width - radius):
                continue
            rows = slice(max(y - radius, 0), y + radius + 1)
            columns = slice(max(x - radius, 0), x + radius + 1)
            at, window = index[rows, columns].ravel(), colours[rows, columns].reshape(-1, 3)
            centred, n = window - window.mean(0), len(window)
            inverse = np.linalg.inv(centred.T @ centred / n + epsilon * np.eye(3))
            out[np.ix_(at, at)] += np.eye(n) - (1 + centred @ inverse @ centred.T) / n
    return out


def matrix(laplacian: Laplacian, height: int = SIDE[0], width: int = SIDE[1]) -> np.ndarray:
    columns = [laplacian(e.view(1, 1, height, width)).flatten() for e in torch.eye(height * width)]
    return torch.stack(columns, 1).double().numpy()


@pytest.mark.parametrize("radius", [1, 2, 4])
def test_laplacian_is_the_dense_one(radius):
    guide = picture()
    wanted = dense(guide, radius, 1e-3) / (2 * radius + 1) ** 2
    assert np.abs(matrix(Laplacian(guide, radius, 1e-3)) - wanted).max() < 1e-5


def test_laplacian_is_symmetric_and_positive_semidefinite():
    got = matrix(Laplacian(picture(), 2, 1e-4))
    assert np.abs(got - got.T).max() < 1e-5
    assert np.linalg.eigvalsh((got + got.T) / 2).min() > -1e-5
    assert np.abs(got.sum(1)).max() < 1e-5  # a constant costs nothing


def test_dense_oracle_agrees_with_pymatting():
    """pymatting leaves out the windows that the border cuts, and divides epsilon by the window's pixels."""
    cf = pytest.importorskip("pymatting.laplacian.cf_laplacian")
    guide = picture()
    wanted = cf.cf_laplacian(guide[0].permute(1, 2, 0).double().numpy(), epsilon=9e-3, radius=1).toarray()
    assert np.abs(dense(guide, 1, 1e-3, whole_windows=True) - wanted).max() < 1e-8


def test_solution_is_the_direct_one():
    guide = picture(12, 14, 3)
    alpha = torch.rand(1, 1, 12, 14, generator=torch.Generator().manual_seed(4))
    confidence = certainty(alpha).clamp(min=0.05)
    system = dense(guide, 2, 1e-3) / 25 + np.diag(0.5 * confidence.flatten().double().numpy())
    wanted = np.linalg.solve(system, 0.5 * (confidence * alpha).flatten().double().numpy())
    got = solve(guide, alpha, confidence, 2, 1e-3, iterations=200, strength=0.5, tolerance=1e-7)
    assert np.abs(got.flatten().double().numpy() - wanted).max() < 1e-4


def test_more_steps_lower_the_energy_and_sure_pixels_stay():
    guide = picture(32, 40, 5)
    alpha = (guide[:, :1] * 0.7 + 0.3 * torch.rand(1, 1, 32, 40, generator=torch.Generator().manual_seed(6))).round()
    soft = 0.5 + 0.4 * (alpha - 0.5)
    laplacian = Laplacian(guide, 3, 1e-3)

    def energy(x: torch.Tensor) -> float:
        return float((x * laplacian(x)).sum() + (certainty(soft) * (x - soft) ** 2).sum())

    energies = [energy(solve(guide, soft, None, 3, 1e-3, n)) for n in (0, 1, 3, 10)]
    assert energies == sorted(energies, reverse=True)
    pinned = solve(guide, alpha, torch.ones_like(alpha), 3, 1e-3, 50, strength=1e4)
    assert (pinned - alpha).abs().max() < 1e-2


def test_laplacian_filter_is_the_guided_filter():
    guide, alpha = picture(20, 24), picture(20, 24, 1)[:, :1]
    assert (Laplacian(guide, 3, 1e-3).filter(alpha) - guided_filter(guide, alpha, 3, 1e-3)).abs().max() < 1e-5


def test_batches_are_each_picture_alone():
    guides, alphas = torch.cat((picture(), picture(seed=1))), torch.cat((picture(seed=2), picture(seed=3)))[:, :1]
    both = solve(guides, alphas)
    alone = torch.cat([solve(guides[i : i + 1], alphas[i : i + 1]) for i in range(2)])
    assert torch.equal(both, alone)
    assert solve(guides, alphas[:1]).shape == (2, 1, *SIDE)


@pytest.mark.parametrize("bad", [{"radius": 0}, {"epsilon": 0.0}, {"strength": 0.0}, {"iterations": -1}])
def test_settings_out_of_range_are_refused(bad):
    with pytest.raises(InputError):
        solve(picture(), picture()[:, :1], **bad)
