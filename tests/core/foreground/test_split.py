"""A photograph as two layers, against the layers that a synthetic one was made of."""

from __future__ import annotations

import torch

from nuggy_nodes.core.foreground.estimate import estimate_foreground
from nuggy_nodes.core.foreground.split import COVERED, layers
from nuggy_nodes.core.ops.composite import over


def scene():
    """A textured subject with a soft edge, nowhere quite opaque, over a smooth background of another colour."""
    g = torch.Generator().manual_seed(2)
    y, x = torch.meshgrid(torch.arange(96.0), torch.arange(128.0), indexing="ij")
    alpha = ((30 - ((y - 48) ** 2 + (x - 60) ** 2).sqrt()) / 14 + 0.5).clamp(0, 1)[None, None] * 0.97
    front = torch.stack([0.7 + 0 * x, 0.3 + 0.2 * torch.sin(x / 20), 0.2 + 0 * x])[None]
    back = torch.stack([0.2 + 0.001 * x, 0.6 + 0.002 * y, 0.8 - 0.002 * x])[None]
    image = over(front, alpha, back) + 0.1 * (alpha > 0.5) * torch.randn(1, 3, 96, 128, generator=g)
    return image.clamp(0, 1), alpha, front, back


def test_what_can_be_seen_is_the_estimate():
    image, alpha, _, _ = scene()
    front, back = layers(image, alpha)
    expected = estimate_foreground(image, alpha, return_background=True)
    seen = (alpha < COVERED - 1e-4).expand_as(image)
    assert torch.equal(front, expected[0]) and torch.equal(back[seen], expected[1][seen])
    assert torch.equal(back[(alpha == 0).expand_as(image)], image[(alpha == 0).expand_as(image)])


def test_what_is_covered_is_continued_and_not_a_remainder():
    image, alpha, _, back = scene()
    made = layers(image, alpha)[1]
    plain = estimate_foreground(image, alpha, return_background=True)[1]
    covered = (alpha > COVERED).expand_as(image)
    assert covered.sum() > 1000
    assert (made - back)[covered].abs().max() < 0.5 * (plain - back)[covered].abs().max()
    assert (made - back)[covered].abs().mean() < 0.7 * (plain - back)[covered].abs().mean()


def test_batches_and_a_photograph_that_is_covered_wholly():
    image, alpha, _, _ = scene()
    both = torch.cat((alpha, torch.ones_like(alpha)))
    made = layers(image.expand(2, -1, -1, -1), both)
    assert all(x.shape == (2, 3, 96, 128) and torch.isfinite(x).all() for x in made)
    assert torch.equal(made[0][1], image[0])
    assert layers(image.half(), alpha)[1].dtype == torch.float16
