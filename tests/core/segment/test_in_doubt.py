import numpy as np
import pytest
import torch

from nuggy_nodes.core.segment import consensus
from nuggy_nodes.core.segment.in_doubt import DISPUTED, border_counts, contradiction, disputed

SIDE = 128


def body(top, bottom, left, right, value=1.0):
    plane = torch.zeros(1, 1, SIDE, SIDE)
    plane[..., top:bottom, left:right] = value
    return plane


WHOLE, AT_BORDER, OTHER = body(30, 90, 30, 90), body(60, 128, 30, 90), body(95, 125, 30, 90)


def test_a_continued_border_counts_where_the_frame_cuts():
    for views, counts in (((WHOLE, WHOLE), False), ((AT_BORDER, AT_BORDER), True)):
        assert border_counts(torch.stack(views)).tolist() == [counts]
    both = torch.stack((torch.cat((WHOLE, AT_BORDER)), torch.cat((WHOLE, AT_BORDER))))
    assert border_counts(both).tolist() == [False, True]


def test_where_it_does_not_count_the_answer_is_the_same():
    """Against consensus.regions itself, over masks whose bodies now and then reach the border."""
    rng, same, other = np.random.default_rng(0), 0, 0
    for _ in range(40):
        frame = torch.zeros(2, 1, 1, SIDE, SIDE)
        for view in frame:
            for _ in range(2):
                top, left = rng.integers(0, SIDE - 20, 2)
                down, across = rng.integers(8, 60, 2)
                view[..., top : top + down, left : left + across] = float(rng.uniform(0.2, 1))
        frame[1] = torch.maximum(frame[0], frame[1])
        fine = frame.mean(0)
        beyond = body(0, SIDE, 0, SIDE, 0.9)
        equal = torch.equal(consensus.regions(frame, None, fine), consensus.regions(frame, beyond, fine))
        counts = bool(border_counts(frame)[0])
        assert counts or equal
        same, other = same + (not counts), other + (counts and not equal)
    assert same > 5 and other > 5


def test_a_region_carried_by_one_view_may_reach_the_border():
    """No view of the agreed subject reaches it, but the region that it carries does."""
    most = torch.maximum(body(20, 100, 30, 90), body(90, 128, 50, 80))
    assert border_counts(torch.stack((body(20, 100, 30, 90), most))).tolist() == [True]


def test_contradiction_is_the_share_of_area():
    views = torch.stack((WHOLE, WHOLE + OTHER))
    share = float(OTHER.sum() / (WHOLE + OTHER).sum())
    assert float(contradiction(views, [False, False])) == pytest.approx(share, rel=1e-6) and share > DISPUTED
    assert disputed(views, [False, False]).tolist() == [True]
    assert disputed(torch.stack((WHOLE, WHOLE)), [False, False]).tolist() == [False]


def test_rims_are_no_contradiction():
    rim = body(29, 91, 29, 91) - body(30, 90, 30, 90)
    assert float(contradiction(torch.stack((WHOLE, WHOLE + rim)), [False, False])) == 0


def test_a_continued_border_counts_for_what_it_finds():
    finds, misses = torch.stack((WHOLE, WHOLE + OTHER)), torch.stack((WHOLE + OTHER, WHOLE))
    assert disputed(finds, [False, True]).tolist() == [True] and disputed(misses, [False, True]).tolist() == [False]
    assert disputed(misses, [True, True]).tolist() == [True]  # where every border is continued, as of any views


def test_nothing_at_all_is_settled():
    assert disputed(torch.zeros(3, 2, 1, SIDE, SIDE), [False] * 3).tolist() == [False, False]
