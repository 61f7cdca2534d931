"""Boxes: the subject lies in one of them."""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core import Guidance, answer
from nuggy_nodes.core.network.metadata import Info
from nuggy_nodes.core.network.protocol import Form
from nuggy_nodes.core.segment.box import inside_boxes, seen_in_boxes, weighed, whole
from nuggy_nodes.core.segment.consensus import SOLID
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
    assert found.shape == (2, 1, 160, 200)
    assert float((found - image[:, 1:2]).abs().mean()) < 0.01
    assert float(found[..., :25, :].max()) == 0 and float(found[..., :, 183:].max()) == 0
    large = seen_in_boxes(Bright(), torch.zeros(1, 3, 600, 2048), [(0, 0, 100, 100)])
    assert large.shape == (2, 1, 150, 512)


def both(plane):
    return torch.cat((plane, plane))


def test_where_all_say_the_same_nothing_changes():
    alpha = torch.zeros(1, 1, 64, 64)
    alpha[..., 20:40, 20:40] = 1
    inside = inside_boxes([(10, 10, 44, 44)], alpha)
    found, changed = weighed(alpha, inside, both(alpha))
    assert torch.equal(found, alpha) and float(changed.max()) == 0


def test_what_both_views_of_the_box_see_comes_and_what_one_sees_does_not():
    alpha, seen = torch.zeros(1, 1, 64, 64), torch.zeros(1, 1, 64, 64)
    alpha[..., 10:50, 10:34] = 1
    seen[..., 10:50, 10:48] = 1
    inside = torch.ones_like(alpha)
    found, changed = weighed(alpha, inside, both(seen))
    assert float(found[..., 20:40, 36:46].mean()) > 0.9 and float(changed[..., 20:40, 36:46].min()) == 1
    assert torch.equal(weighed(alpha, inside, torch.cat((seen, alpha)))[0], alpha)
    assert float(weighed(0 * alpha, inside, both(seen))[0][..., 20:40, 12:46].mean()) > 0.9, "of nothing, too"


@pytest.mark.parametrize("side", [0, 1])
def test_the_lesser_of_two_differences_is_the_vote(side):
    alpha, inside = torch.zeros(1, 1, 64, 64), torch.ones(1, 1, 64, 64)
    seen = torch.ones(2, 1, 64, 64)
    seen[side] = 0.7
    torch.testing.assert_close(weighed(alpha, inside, seen)[0].mean(), torch.tensor(1.0 if SOLID < 0.7 else 0.7))


def test_a_small_part_may_go_and_most_of_the_subject_may_not():
    body, other = (plane_of(10, 50, left, right) for left, right in ((10, 40), (48, 54)))
    inside = torch.ones(1, 1, 64, 64)
    assert float(weighed(body + other, inside, both(body))[0][..., 15:45, 49:53].max()) == 0
    kept = weighed(body + other, inside, both(other))[0]
    assert torch.equal(kept, body + other)


def test_what_sticks_out_beside_the_subject_is_another_thing_and_what_fills_it_is_not():
    """A small piece that both views of the box bring and the mask denies: at a side, and in a bay of the subject."""
    body = torch.zeros(1, 1, 128, 128)
    body[..., 20:110, 30:90] = 1
    bay, arm = torch.zeros_like(body), torch.zeros_like(body)
    bay[..., 50:70, 60:90], arm[..., 50:70, 90:118] = 1, 1
    inside = torch.ones_like(body)
    filled = weighed(body - bay, inside, both(body))[0]
    assert float(filled[..., 55:65, 65:85].min()) > 0.9
    kept, changed = weighed(body, inside, both(body + arm))
    assert torch.equal(kept, body) and float(changed.max()) == 0
    half = 0.4 * arm  # half seen by the mask: no denial
    assert float(weighed(body + half, inside, both(body + arm))[0][..., 55:65, 95:110].min()) > 0.9


def plane_of(top, bottom, left, right):
    out = torch.zeros(1, 1, 64, 64)
    out[..., top:bottom, left:right] = 1
    return out


def test_boxes_are_shown_with_their_surroundings():
    """All is green: what is seen ends where the surroundings end."""
    image = torch.zeros(1, 3, 160, 200)
    image[:, 1] = 1
    found = seen_in_boxes(Bright(), image, [(70, 50, 80, 60)])
    expected = torch.zeros_like(found)
    expected[0, :, 41:120, 58:163] = 1
    expected[1, :, 26:135, 38:183] = 1
    torch.testing.assert_close(found, expected)


def test_what_is_seen_outside_the_boxes_does_not_count():
    alpha = torch.zeros(1, 1, 64, 64)
    alpha[..., 20:44, 20:40] = 1
    inside = inside_boxes([(10, 10, 30, 44)], alpha)
    seen = alpha.clone()
    seen[..., 20:44, 40:60] = 1  # goes on beyond the box
    found, changed = weighed(alpha, inside, both(seen))
    assert float(found[..., 44:].max()) == 0 and torch.equal(found, alpha) and float(changed.max()) == 0


@pytest.mark.parametrize(
    "boxes,expected",
    [([(0, 0, 30, 20)], True), ([(-2, -1, 40, 22)], True), ([(5, 5, 3, 3), (0, 0, 30, 20)], True),
     ([(1, 0, 29, 20)], False), ([(0, 0, 30, 19)], False), ([(0, 0, 15, 20), (15, 0, 15, 20)], False), ([], False)],
)  # fmt: skip
def test_a_box_holds_the_whole_photograph_or_not(boxes, expected):
    assert whole(boxes, 20, 30) is expected


class Watched(Bright):
    """It counts how often it is asked."""

    def __init__(self):
        self.asked = 0

    def see(self, squares):
        self.asked += 1
        return super().see(squares)


@pytest.mark.parametrize("less,asked", [(0, 0), (1, 2)])
def test_a_box_around_the_whole_photograph_says_nothing(image, less, asked):
    height, width = image.shape[-2:]
    before, network = seen(image, TRUTH), Watched()
    before.network = network
    after = answer(before, Guidance(boxes=[(0, 0, width - less, height)])).alpha
    assert network.asked == asked
    assert asked or torch.equal(after, answer(seen(image, TRUTH)).alpha)
