"""What hung on what was dropped goes with it, and nothing else."""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core.segment.hanging import without_hanging
from tests.core.drawn_subject import H, W, plane

TREE, BRANCH, TWIG, FAR = (20, 120, 20, 60), (60, 70, 60, 150), (40, 60, 140, 144), (130, 150, 150, 190)
BEFORE, AFTER = plane(TREE, BRANCH, TWIG, FAR), plane(TREE, TWIG, FAR)


def test_a_twig_goes_with_its_branch_and_what_stood_apart_stays():
    assert torch.equal(without_hanging(AFTER, BEFORE), plane(TREE, FAR))


def test_a_soft_rim_goes_with_it():
    soft = AFTER.clone()
    soft[..., 39, 140:144] = 0.08
    assert torch.equal(without_hanging(soft, BEFORE), plane(TREE, FAR))


def test_what_is_kept_stays():
    stroke = plane((45, 50, 141, 143))
    assert torch.equal(without_hanging(AFTER, BEFORE, stroke), AFTER)


def test_what_is_larger_than_what_is_gone_stays():
    """A hand does not go with a watch."""
    hand = plane((40, 100, 80, 150))
    assert torch.equal(without_hanging(plane(TREE) + hand, plane(TREE, (60, 70, 60, 80)) + hand), plane(TREE) + hand)


@pytest.mark.parametrize("after", [BEFORE, plane(TREE, FAR), torch.zeros(1, 1, H, W)])
def test_where_nothing_is_left_over_nothing_changes(after):
    assert without_hanging(after, BEFORE) is after
