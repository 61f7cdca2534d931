"""What the learned refinement is shown."""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core.ops.cells import in_pixels
from nuggy_nodes.core.refine.learned_features import LATTICE, features, local_colours


def test_features_tell_the_place_on_the_line_between_two_colours():
    """Between a black and a white half, alpha on the colour line is the grey itself; the line is sqrt(3) long."""
    image = torch.zeros(1, 3, 64, 64)
    image[..., 40:] = 1
    grey = torch.linspace(0, 1, 16)
    image[..., 24:40] = grey
    alpha = image[:, :1].clone()
    found = features(image, alpha, alpha, in_pixels(local_colours(image, alpha), LATTICE, (0, 64, 0, 64)))
    assert found.shape == (1, 8, 64, 64)
    torch.testing.assert_close(found[0, 5, 20:40, 26:38] + 0.5, image[0, 0, 20:40, 26:38], atol=0.06, rtol=0)
    assert (found[0, 6, 20:40, 26:38] - 3**0.5).abs().max() < 0.15 and found[0, 7, 20:40, 26:38].max() < 0.01


def test_local_colours_are_the_means_of_what_is_sure():
    """Red on the left, blue on the right, a soft pixel column between that belongs to neither."""
    image, alpha = torch.zeros(1, 3, 64, 64), torch.zeros(1, 1, 64, 64)
    image[:, 0, :, :28], image[:, 2, :, 36:], image[:, 1, :, 28:36] = 1.0, 1.0, 1.0
    alpha[..., :28], alpha[..., 28:36] = 1.0, 0.5
    found = local_colours(image, alpha)
    assert found.shape == (1, 7, 16, 16) and bool((found[:, 6] == 1).all())
    torch.testing.assert_close(found[0, :3, 8, 8], torch.tensor([1.0, 0.0, 0.0]), atol=1e-3, rtol=0)
    torch.testing.assert_close(found[0, 3:6, 8, 8], torch.tensor([0.0, 0.0, 1.0]), atol=1e-3, rtol=0)


def test_without_a_sure_side_the_mask_is_believed():
    image, alpha = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1)), torch.full((1, 1, 32, 32), 0.5)
    local = local_colours(image, alpha)
    assert bool((local[:, 6] == 0).all())
    found = features(image, alpha, alpha, in_pixels(local, LATTICE, (0, 32, 0, 32)))
    assert torch.equal(found[:, :3], image - 0.5)
    assert bool((found[:, 3:] == 0).all()), "masks less a half, and no line to tell of"


@pytest.mark.parametrize("value,sure", [(0.85, 0.0), (0.9, 0.5), (0.95, 1.0), (1.0, 1.0)])
def test_sure_is_a_ramp(value, sure):
    """A pixel's weight among the subject's colours, told by two halves of different alpha."""
    image, alpha = torch.zeros(1, 3, 8, 8), torch.full((1, 1, 8, 8), value)
    image[:, 0, :, :4], image[:, 1, :, 4:] = 1.0, 1.0
    alpha[..., 4:] = 1.0
    found = local_colours(image, alpha)[0]
    ratio = float((found[0] / found[1].clamp(min=1e-9)).mean())
    assert (ratio > 1.5 * sure - 0.6) and (found[0].max() == 0) == (sure == 0)


def test_a_window_has_the_colours_of_the_whole_picture():
    """Sides that are no multiples of the lattices'; a hundred pixels from the window's edges nothing differs."""
    rng = torch.Generator().manual_seed(2)
    image, alpha = torch.rand(1, 3, 701, 533, generator=rng), torch.rand(1, 1, 701, 533, generator=rng)
    whole = local_colours(image, alpha)
    part = local_colours(image[..., 160:640, 96:], alpha[..., 160:640, 96:])
    torch.testing.assert_close(part[..., 25:-25, 25:], whole[..., 65:135, 49:], atol=1e-5, rtol=0)
