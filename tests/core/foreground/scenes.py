"""Photographs with exact alpha, drawn for the tests of foreground colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from skimage import data, transform

from nuggy_nodes.core.foreground.unknown_region import unsure


def soft_alpha(height: int, width: int, seed: int = 0, sigma: float = 2.0) -> torch.Tensor:
    """A disc with a fringe of strands: opaque inside, 0 outside, soft between."""
    y, x = np.mgrid[:height, :width]
    angle = np.arctan2(y - height / 2, x - width / 2)
    wave = np.random.default_rng(seed).uniform(0, 6.28)
    rim = min(height, width) * (0.3 + 0.08 * np.sin(23 * angle + wave))
    disc = (np.hypot(y - height / 2, x - width / 2) < rim).astype(np.float32)
    blurred = gaussian_filter(disc, sigma)
    return torch.from_numpy(np.clip((blurred - 0.02) / 0.96, 0, 1).astype(np.float32))[None, None]


def photo(name: str, height: int, width: int) -> torch.Tensor:
    picture = transform.resize(getattr(data, name)(), (height, width), anti_aliasing=True).astype(np.float32)
    return torch.from_numpy(picture).permute(2, 0, 1)[None].contiguous()


def colour_error(estimate: torch.Tensor, truth: torch.Tensor, alpha: torch.Tensor) -> float:
    """Root mean squared error where alpha is unsure, weighted by alpha."""
    weight = (alpha * unsure(alpha)).expand_as(truth)
    return float((weight * (estimate - truth) ** 2).sum() / weight.sum()) ** 0.5


def peer(image: torch.Tensor, alpha: torch.Tensor) -> torch.Tensor:
    """pymatting's answer for `scene`, stored: it compiles for 45 seconds. tests_real/large asks it anew."""
    stored = np.load(Path(__file__).parents[2] / "data" / "pymatting-scene.npz")
    assert abs(float(image.double().mean()) - float(stored["mean"])) < 1e-6  # the scene that it was made of
    return torch.from_numpy(stored["foreground"].astype(np.float32)).permute(2, 0, 1)[None]
