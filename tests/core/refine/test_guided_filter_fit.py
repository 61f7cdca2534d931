"""The 3x3 solve inside the colour guided filter, against float64, where colours move together."""

import numpy as np
import pytest
import torch

from nuggy_nodes.core.refine.guided_filter import guided_filter
from nuggy_nodes.core.refine.guided_filter_fit import count, fit, line, products, solve3


@pytest.mark.parametrize(("epsilon", "bound"), [(1e-4, 1e-3), (1e-5, 1e-2), (1e-6, 5e-2)])
def test_grey_windows_are_solved_in_float32(epsilon, bound):
    """Rank-one covariances (a grey picture): the determinant is all cancellation, the answer must not be."""
    generator = torch.Generator().manual_seed(0)
    axis = torch.linalg.qr(torch.randn(500, 3, 3, generator=generator, dtype=torch.float64))[0]
    strength = 0.2 * torch.rand(500, 1, 1, generator=generator, dtype=torch.float64)
    sigma = strength * axis[:, :, :1] @ axis[:, :, :1].mT
    cov = sigma @ torch.randn(500, 3, 1, generator=generator, dtype=torch.float64)
    wanted = torch.linalg.solve(sigma + epsilon * torch.eye(3, dtype=torch.float64), cov)[..., 0]
    upper = torch.stack([sigma[:, i, j] for i in range(3) for j in range(i, 3)]).float()
    got = torch.empty(3, 500)
    solve3(upper, cov[..., 0].T.float(), epsilon, got)
    got = got.T.double()
    error = (got - wanted).norm(dim=1) / wanted.norm(dim=1).clamp(min=1e-9)
    assert error.max() < bound


@pytest.mark.parametrize("epsilon", [1e-5, 1e-6, 1e-8])
def test_a_grey_photograph_stays_finite_and_in_range(epsilon):
    ramp = torch.linspace(0, 1, 64)
    grey = (ramp[None] * 0.5 + (torch.arange(64)[:, None] % 7 < 3) * 0.5)[None, None].expand(1, 3, 64, 64)
    alpha = (grey[:, :1] > 0.6).float()
    out = guided_filter(grey, alpha, 8, epsilon)
    assert torch.isfinite(out).all()
    assert out.min() > -1 and out.max() < 2


@pytest.mark.parametrize("channels", [1, 3])
def test_the_fit_is_penalised_least_squares_on_a_windows_pixels(rng, channels):
    """One window of 60 pixels: its means through products, fit and line, against the normal equations."""
    epsilon, shift = 1e-3, 0.4
    guide, src = rng.random((channels, 6, 10)), rng.random((6, 10))
    planes = torch.empty(count(channels), 6, 10)
    products(torch.from_numpy(guide).float(), torch.from_numpy(src).float(), shift, planes)
    found = torch.empty(channels + 1, 1, 1)
    fit(planes.mean((1, 2), keepdim=True), epsilon, found)
    x = (guide - shift).reshape(channels, -1)
    centred = x - x.mean(1, keepdims=True)
    a = np.linalg.solve(centred @ centred.T / 60 + epsilon * np.eye(channels), centred @ src.ravel() / 60)
    b = src.mean() - a @ x.mean(1)
    np.testing.assert_allclose(found[:, 0, 0], [*a, b], atol=1e-4)
    out = torch.empty(6, 10)
    line(found.expand(-1, 6, 10), torch.from_numpy(guide), shift, out)
    np.testing.assert_allclose(out, (a @ x + b).reshape(6, 10), atol=1e-3)
