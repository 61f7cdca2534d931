"""Hidden colours: what they are made of, and what has no influence on them."""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core.foreground.fill_hidden import _pull_push, fill_hidden
from tests.core.foreground.scenes import photo, soft_alpha


def test_fill_sees_visible_pixels_only() -> None:
    colours, alpha = photo("coffee", 130, 170), soft_alpha(130, 170)
    hidden = (alpha < 1 / 255).expand_as(colours)
    other = torch.where(hidden, torch.rand(colours.shape, generator=torch.Generator().manual_seed(4)), colours)
    filled = fill_hidden(colours, alpha)
    assert torch.equal(filled, fill_hidden(other, alpha))
    assert torch.equal(filled[~hidden], colours[~hidden])
    assert not torch.equal(filled, colours)


def test_fill_is_smooth_and_within_the_visible_range() -> None:
    colours, alpha = photo("coffee", 130, 170), soft_alpha(130, 170)
    filled = fill_hidden(colours, alpha)[0]
    hidden, visible = (alpha < 1 / 255)[0, 0], (alpha >= 1 / 255)[0, 0]
    assert float(filled[:, hidden].min()) >= float(colours[0][:, visible].min()) - 1e-5
    assert float(filled[:, hidden].max()) <= float(colours[0][:, visible].max()) + 1e-5
    both = hidden[:, 1:] & hidden[:, :-1]
    assert float((filled[:, :, 1:] - filled[:, :, :-1]).abs()[:, both].max()) < 0.1


def test_fill_with_a_chosen_colour() -> None:
    colours, alpha = photo("coffee", 40, 50), soft_alpha(40, 50)
    filled = fill_hidden(colours, alpha, (0.25, 0.5, 0.75))
    hidden = (alpha < 1 / 255)[0, 0]
    assert torch.equal(filled[0][:, hidden].unique(dim=1).flatten(), torch.tensor([0.25, 0.5, 0.75]))
    assert torch.equal(filled[0][:, ~hidden], colours[0][:, ~hidden])
    low = fill_hidden(colours, alpha, (0, 0, 0), below=0.5)
    assert float(low[0][:, (alpha < 0.5)[0, 0]].abs().max()) == 0


@pytest.mark.parametrize(("weight", "own"), [(1.0, 1.0), (1 / 8, 1.0), (1 / 16, 0.5), (1 / 32, 0.25)])
def test_a_block_of_an_eighth_keeps_its_own_colour_alone(weight: float, own: float) -> None:
    """Two blocks; below an eighth, the mean of both comes in, by what is lacking."""
    red, blue = torch.tensor([0.9, 0.1, 0.2]), torch.tensor([0.1, 0.3, 0.8])
    sums = torch.stack([torch.cat([red * weight, torch.tensor([weight])]), torch.cat([blue, torch.tensor([1.0])])], 1)
    found = _pull_push(sums[:, None])[:, 0]
    both = (red * weight + blue) / (weight + 1)
    torch.testing.assert_close(found[:, 0], own * red + (1 - own) * both)
    torch.testing.assert_close(found[:, 1], blue)


def test_visible_colours_count_by_their_alpha() -> None:
    """One block: the hidden half takes the mean of what is seen, weighted by alpha."""
    colours, alpha = torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8)
    alpha[..., 0:2], alpha[..., 2:4] = 1.0, 0.25
    colours[:, 0, :, 0:2], colours[:, 1, :, 2:4], colours[:, 2, :, 4:] = 1.0, 1.0, 1.0
    filled = fill_hidden(colours, alpha)
    torch.testing.assert_close(filled[0, :, 0, 7], torch.tensor([0.8, 0.2, 0.0]))
    assert torch.equal(filled[..., :4], colours[..., :4])
