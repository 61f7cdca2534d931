"""Photographs that are transparent already."""

import torch

from nuggy_nodes.core.foreground.opacity import shown, within


def test_the_share_times_the_opacity_is_the_smaller_of_the_two() -> None:
    alpha = torch.tensor([0.0, 0.2, 0.5, 1.0, 1.0, 0.7])
    opacity = torch.tensor([0.5, 0.5, 0.2, 0.3, 1.0, 0.0])
    mask = within(alpha, opacity)
    assert torch.allclose(mask * opacity, torch.minimum(alpha, opacity))
    assert mask.min() >= 0 and mask.max() <= 1 and mask[-1] == alpha[-1], "where there is nothing, alpha itself"


def test_where_nothing_is_grey_is_shown() -> None:
    image = torch.rand(2, 3, 4, 5)
    opacity = torch.tensor([0.0, 0.25, 1.0, 1.0, 0.5]).expand(2, 1, 4, 5)
    expected = image * opacity + 0.5 * (1 - opacity)
    assert torch.allclose(shown(image, opacity), expected) and bool((shown(image, opacity)[..., 0] == 0.5).all())
    assert shown(image.half(), opacity).dtype == torch.float16
