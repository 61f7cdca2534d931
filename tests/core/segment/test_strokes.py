"""Strokes: what they bring, what they take, and where their reach ends."""

from __future__ import annotations

import torch

from nuggy_nodes.core import Guidance, answer
from nuggy_nodes.core.segment import strokes
from nuggy_nodes.core.segment.strokes import _against
from tests.core.drawn_subject import BODY, HEAD, TRUTH, H, W, plane, sad, seen


def test_a_stroke_over_a_missed_body_brings_the_whole_of_it(image):
    before = plane(HEAD)
    stroke = plane((110, 116, 70, 130))
    after = answer(seen(image, before), Guidance(keep=stroke)).alpha
    assert sad(after) < 0.1 * sad(before)
    assert torch.equal(after[..., :, :40], before[..., :, :40]), "the ground is not like the body"


def test_a_stroke_over_what_is_too_much_takes_it(image):
    before, truth = plane(HEAD, BODY), plane(HEAD)
    after = answer(seen(image, before), Guidance(drop=plane((110, 116, 70, 130)))).alpha
    assert sad(after, truth) < 0.1 * sad(before, truth)


def test_a_stroke_that_says_nothing_new_changes_nothing(image):
    before = TRUTH.clone()
    said = Guidance(keep=plane((40, 44, 80, 120)), drop=plane((5, 9, 5, 50)))
    assert torch.equal(answer(seen(image, before), said).alpha, before)


def test_a_strokes_reach_ends_at_an_edge_of_the_photograph(image):
    picture = torch.tensor([0.1, 0.2, 0.8]).view(3, 1, 1).repeat(1, H, W)
    picture[:, :, 100:] = torch.tensor([0.9, 0.5, 0.1]).view(3, 1, 1)
    told, reach = _against(picture, plane((60, 100, 80, 84))[0, 0] > 0, torch.zeros(H, W), 1.0)
    assert int(told.sum()) == 160
    assert float(reach[80, 56]) > 0.5, "24 pixels away, nothing between"
    assert float(reach[80, 108]) < 0.6 * float(reach[80, 56]), "24 pixels away, beyond the edge"


def test_only_what_a_stroke_touches_changes(monkeypatch):
    """Two bodies that look alike, near enough to be reached both; the stroke lies on one."""
    monkeypatch.setattr(strokes, "CONTRAST", 0.0)
    left, right = plane((40, 120, 20, 90)), plane((40, 120, 100, 170))
    blue, grey = (torch.tensor(c).view(1, 3, 1, 1) for c in ((0.1, 0.2, 0.8), (0.5, 0.5, 0.5)))
    picture = grey + (left + right) * (blue - grey)
    added, taken = strokes.spread(picture, torch.zeros(1, 1, H, W), plane((60, 64, 25, 85)), None)
    assert float(taken.max()) == 0
    assert float(added[..., 45:115, 25:85].mean()) > 0.95 and float(added[..., 95:].max()) == 0
