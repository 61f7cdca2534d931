"""The 3x3 solve inside the colour guided filter, against float64, where colours move together."""

import pytest
import torch

from nuggy_nodes.core.refine.guided_filter import guided_filter
from nuggy_nodes.core.refine.guided_filter_fit import solve3


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
