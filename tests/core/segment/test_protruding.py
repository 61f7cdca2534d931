import numpy as np
import pytest
import torch

from nuggy_nodes.core.segment import consensus, protruding
from nuggy_nodes.core.segment.protruding import belonging

SIDE = 128


def plane(top, bottom, left, right, value=1.0):
    out = torch.zeros(1, 1, SIDE, SIDE)
    out[..., top:bottom, left:right] = value
    return out


BODY = plane(40, 100, 30, 90)  # 3600 cells
PASSER = plane(50, 80, 90, 105)  # 450 cells, at its right side, of which it touches a third
GAP = plane(60, 75, 50, 65)


def weight(added, out=BODY, least=0.0):
    """Two views of the whole frame, one of which sees what is added, the other `least` of it."""
    return belonging(added, out, torch.stack((out + added, out + least * added)))


def test_a_small_piece_that_sticks_out_and_is_denied_is_another_thing():
    assert weight(PASSER)[PASSER > 0].eq(0).all()
    assert weight(PASSER)[..., :40, :].eq(1).all() and weight(PASSER)[..., 60, 60].eq(1)


def test_each_of_the_three_is_needed():
    hole = BODY - GAP
    assert weight(GAP, hole).eq(1).all()  # enclosed by the subject
    assert weight(PASSER, least=0.9).eq(1).all()  # no view denies it
    large = plane(20, 128, 90, 128)
    assert weight(large).eq(1).all()  # no small thing beside the subject
    crumb = plane(60, 62, 90, 93)
    assert weight(crumb).eq(1).all()


def test_the_three_count_by_degrees():
    low, high = protruding.DENIED
    seen = [float(weight(PASSER, least=x)[..., 60, 95]) for x in (low, (low + high) / 2, high)]
    assert seen == pytest.approx([0, 0.5, 1], abs=1e-5)


def test_what_the_frame_cuts_off_is_held_by_it():
    """The same piece, in the middle of the right side and at the border below."""
    body, neck = plane(30, 80, 30, 90), plane(80, 120, 50, 70)
    at_border = weight(plane(120, 128, 40, 80), body + neck)
    inside = weight(plane(110, 118, 40, 80), body + plane(80, 110, 50, 70))
    assert at_border[..., 124, 60] > 0.2 and inside[..., 114, 60] == 0


def test_the_soft_rim_of_a_piece_goes_with_it():
    rim = plane(48, 82, 88, 107, 0.1)
    added = torch.maximum(PASSER, rim) * (1 - BODY)
    assert weight(added)[..., 49, 95].eq(0)


def test_each_photograph_of_a_batch_is_weighed_alone():
    rng = np.random.default_rng(3)
    added = torch.cat([PASSER, GAP, plane(10, 38, 40, 55), torch.zeros_like(BODY)])
    out = torch.cat([BODY, BODY - GAP, BODY, BODY])
    frame = torch.stack((out + added, out + added * torch.from_numpy(rng.random((4, 1, 1, 1)).astype(np.float32))))
    whole = belonging(added, out, frame)
    for i in range(4):
        part = slice(i, i + 1)
        assert torch.equal(whole[part], belonging(added[part], out[part], frame[:, part]))
    assert whole[3].eq(1).all()


def test_regions_leaves_a_passer_by_out_and_takes_a_limb():
    """Through the whole rule: both touch the subject and one view of two sees each."""
    fine = torch.stack((BODY + PASSER, BODY)).mean(0)
    got = consensus.regions(torch.stack((BODY + PASSER, BODY)), None, fine)
    assert float(got[PASSER > 0].max()) < 0.3 and float(got[BODY > 0].min()) > 0.9
    hole = BODY - GAP
    got = consensus.regions(torch.stack((BODY, hole)), None, torch.stack((BODY, hole)).mean(0))
    assert float(got[..., 62:73, 52:63].min()) > 0.9
