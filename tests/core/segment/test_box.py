"""Boxes: the subject lies in one of them."""

from __future__ import annotations

import torch

from nuggy_nodes.core import Guidance, answer
from nuggy_nodes.core.network.metadata import Info
from nuggy_nodes.core.network.protocol import Form
from nuggy_nodes.core.segment.box import inside_boxes, seen_in_boxes, weighed
from tests.core.drawn_subject import HEAD, TRUTH, plane, seen


def test_outside_boxes_nothing_stays(image):
    after = answer(seen(image, TRUTH), Guidance(boxes=[(60, 20, 80, 60)])).alpha
    assert torch.equal(after, plane(HEAD))


class Bright:
    """A network that answers with the green channel, on half its squares' grid."""

    device, path, info, form = torch.device("cpu"), None, Info(), Form(logits=False, measured=True)

    def see(self, squares):
        return torch.nn.functional.avg_pool2d(squares[:, 1:2], 2)


def test_inside_is_one_in_any_box():
    like = torch.zeros(1, 1, 20, 30)
    found = inside_boxes([(2, 3, 5, 4), (6, 5, 10, 10)], like)
    expected = torch.zeros(1, 1, 20, 30)
    expected[..., 3:7, 2:7] = 1
    expected[..., 5:15, 6:16] = 1
    assert torch.equal(found, expected)


def test_a_boxes_view_lies_where_the_box_does():
    """A green square in a box: the answer on the grid is green there, and nothing is said outside the surroundings."""
    image = torch.zeros(1, 3, 160, 200)
    image[:, 1, 60:100, 80:140] = 1
    found = seen_in_boxes(Bright(), image, [(70, 50, 80, 60)])
    assert found.shape == (1, 1, 160, 200)
    assert float((found - image[:, 1:2]).abs().mean()) < 0.01
    assert float(found[..., :40, :].max()) == 0 and float(found[..., :, 164:].max()) == 0
    large = seen_in_boxes(Bright(), torch.zeros(1, 3, 600, 2048), [(0, 0, 100, 100)])
    assert large.shape == (1, 1, 150, 512)


def test_where_both_say_the_same_nothing_changes():
    alpha = torch.zeros(1, 1, 64, 64)
    alpha[..., 20:40, 20:40] = 1
    inside = inside_boxes([(10, 10, 44, 44)], alpha)
    found, changed = weighed(alpha, inside, alpha.clone())
    assert torch.equal(found, alpha) and float(changed.max()) == 0


def test_what_only_the_boxes_view_sees_comes_if_the_frames_subject_carries_it():
    """The frame has half of a body, the box all of it; a body elsewhere that only the box sees does not come."""
    alpha, seen = torch.zeros(1, 1, 64, 64), torch.zeros(1, 1, 64, 64)
    alpha[..., 10:50, 10:34] = 1
    seen[..., 10:50, 10:48] = 1
    inside = torch.ones_like(alpha)
    found, changed = weighed(alpha, inside, seen)
    assert float(found[..., 20:40, 36:46].mean()) > 0.9 and float(changed[..., 20:40, 36:46].min()) == 1
    apart = torch.zeros_like(alpha)
    apart[..., 5:20, 50:60] = 1
    assert float(weighed(alpha, inside, apart)[0][..., 5:20, 50:60].max()) == 0


def test_a_box_is_shown_with_a_seventh_of_its_surroundings():
    """All is green: what is seen ends where the surroundings end."""
    image = torch.zeros(1, 3, 160, 200)
    image[:, 1] = 1
    found = seen_in_boxes(Bright(), image, [(70, 50, 80, 60)])
    expected = torch.zeros_like(found)
    expected[..., 41:120, 58:163] = 1
    torch.testing.assert_close(found, expected)


def test_what_is_seen_outside_the_boxes_does_not_count():
    alpha = torch.zeros(1, 1, 64, 64)
    alpha[..., 20:44, 20:40] = 1
    inside = inside_boxes([(10, 10, 30, 44)], alpha)
    seen = alpha.clone()
    seen[..., 20:44, 40:60] = 1  # goes on beyond the box
    found, changed = weighed(alpha, inside, seen)
    assert float(found[..., 44:].max()) == 0 and torch.equal(found, alpha) and float(changed.max()) == 0
