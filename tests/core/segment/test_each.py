"""Each connected part a mask of its own."""

import torch

from nuggy_nodes.core.segment.each import each_part


def test_parts_are_apart_and_sum_to_the_mask():
    alpha = torch.zeros(1, 1, 60, 80)
    alpha[..., 5:25, 5:25], alpha[..., 30:55, 40:75], alpha[..., 2, 2] = 1, 0.8, 0.5
    alpha[..., 25, 5:25] = 0.05
    first, second = each_part(alpha)
    assert torch.equal(first + second, alpha)
    assert bool((first[..., 30:55, 40:75] == 0.8).all()) and bool((second[..., 5:26, 5:25] > 0).all())


def test_touching_ones_stay_one():
    alpha = torch.zeros(1, 1, 40, 40)
    alpha[..., 5:20, 5:20], alpha[..., 20:35, 20:35] = 1, 1  # by a corner
    (only,) = each_part(alpha)
    assert only is alpha
