"""The multi-level estimate: its coarse levels, its tiles, and the start that they give."""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core.foreground import multilevel
from nuggy_nodes.core.foreground.estimate import estimate_foreground
from nuggy_nodes.core.ops.composite import over
from tests.core.foreground.scenes import colour_error, peer, photo


def test_large_pictures_start_at_larger_blocks(monkeypatch: pytest.MonkeyPatch, scene: dict[str, torch.Tensor]) -> None:
    """Above LARGE pixels the finest blocks are 4x4; here every picture is large."""
    image, alpha, truth = scene["image"], scene["alpha"], scene["foreground"]
    small = estimate_foreground(image, alpha)
    monkeypatch.setattr(multilevel, "LARGE", 0)
    large = estimate_foreground(image, alpha)
    assert not torch.equal(small, large)
    assert colour_error(large, truth, alpha) <= colour_error(peer(image, alpha), truth, alpha)
    for size in ((1, 1), (1, 9), (5, 3), (37, 53)):
        part = estimate_foreground(image[..., : size[0], : size[1]], alpha[..., 60 : 60 + size[0], 80 : 80 + size[1]])
        assert part.shape[-2:] == size and bool(torch.isfinite(part).all())


def test_large_flat_alpha_stays_stable() -> None:
    """alpha 0.5 everywhere: the systems are of rank one at every level; the composite must still be the image."""
    image = photo("astronaut", 200, 260)
    alpha = torch.full((1, 1, 200, 260), 0.5)
    foreground, background = estimate_foreground(image, alpha, return_background=True)
    again = over(foreground, alpha, background)
    assert float((again - image).abs().max()) < 0.03
