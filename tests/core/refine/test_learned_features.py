"""What the learned refinement is shown."""

from __future__ import annotations

import torch

from nuggy_nodes.core.refine.learned_features import features, local_colours, pixels


def test_features_tell_the_place_on_the_line_between_two_colours():
    """Between a black and a white half, alpha on the colour line is the grey itself; the line is sqrt(3) long."""
    image = torch.zeros(1, 3, 64, 64)
    image[..., 40:] = 1
    grey = torch.linspace(0, 1, 16)
    image[..., 24:40] = grey
    alpha = image[:, :1].clone()
    found = features(image, alpha, alpha, pixels(local_colours(image, alpha), 64, 64))
    assert found.shape == (1, 8, 64, 64)
    torch.testing.assert_close(found[0, 5, 20:40, 26:38] + 0.5, image[0, 0, 20:40, 26:38], atol=0.06, rtol=0)
    assert (found[0, 6, 20:40, 26:38] - 3**0.5).abs().max() < 0.15 and found[0, 7, 20:40, 26:38].max() < 0.01
