"""Strokes: what they bring, what they take, and what they leave."""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core import Guidance, answer
from nuggy_nodes.core.segment import strokes
from nuggy_nodes.core.segment.stroke_network import LEARNT, Spreader
from nuggy_nodes.core.segment.strokes import GRID, Spread, changed, spread
from tests.core.drawn_subject import BODY, HEAD, TRUTH, H, W, plane, sad, seen


class Told(torch.nn.Module):
    """A network that answers a plane of the whole photograph."""

    def __init__(self, plane):
        super().__init__()
        self.plane, self.seen = plane, []

    def forward(self, features, logits, learnt=None):
        self.seen.append((features, learnt))
        size = features.shape[-2:]
        return 20 * torch.nn.functional.interpolate(self.plane, size=size, mode="area") - 10


def test_a_stroke_over_a_missed_body_brings_it(image):
    before = plane(HEAD)
    after = answer(seen(image, before), Guidance(keep=plane((110, 116, 70, 130)))).alpha
    assert sad(after) < 0.5 * sad(before), "flat colours are not what the network knows best"
    assert torch.equal(after[..., :, :20], before[..., :, :20]), "the ground is not like the body"


def test_a_stroke_over_what_is_too_much_takes_it(image):
    before, truth = plane(HEAD, BODY), plane(HEAD)
    after = answer(seen(image, before), Guidance(drop=plane((110, 116, 70, 130)))).alpha
    assert sad(after, truth) < 0.25 * sad(before, truth)


def test_a_stroke_that_says_nothing_new_changes_nothing(image):
    before = TRUTH.clone()
    said = Guidance(keep=plane((40, 44, 80, 120)), drop=plane((5, 9, 5, 50)))
    assert torch.equal(answer(seen(image, before), said).alpha, before)


def test_an_untrained_network_changes_only_what_is_under_the_stroke(image):
    stroke = plane((110, 116, 70, 130))
    found = spread(image, plane(HEAD), stroke, None, network=Spreader())
    assert float(found.taken.sum()) == 0 and float(found.added.sum()) > 0
    top, bottom, left, right = found.window
    inside = torch.nn.functional.interpolate(found.added, size=(bottom - top, right - left))
    assert float((inside * (1 - stroke[..., top:bottom, left:right])).sum()) < 400, "two cells around it at the most"


def test_only_what_a_stroke_touches_changes(image):
    """Two bodies that the network would bring; the stroke lies on one."""
    left, right = plane((40, 120, 20, 90)), plane((40, 120, 100, 170))
    found = spread(image, torch.zeros(1, 1, H, W), plane((60, 64, 25, 85)), None, network=Told(left + right))
    whole = torch.zeros(1, 1, H, W)
    top, bottom, start, stop = found.window
    whole[..., top:bottom, start:stop] = torch.nn.functional.interpolate(found.added, size=(bottom - top, stop - start))
    assert float(whole[..., 45:115, 25:85].mean()) > 0.9 and float(whole[..., 96:].max()) == 0


def test_a_stroke_that_keeps_takes_nothing_and_one_that_drops_brings_nothing(image):
    told = Told(plane(BODY))  # body instead of head
    kept = spread(image, plane(HEAD), plane((110, 116, 70, 130)), None, network=told)
    dropped = spread(image, plane(HEAD), None, plane((40, 46, 70, 130)), network=told)
    assert float(kept.added.sum()) > 0 and float(kept.taken.sum()) == 0 and float(kept.change.min()) >= 0
    assert float(dropped.taken.sum()) > 0 and float(dropped.added.sum()) == 0 and float(dropped.change.max()) <= 0


def test_it_sees_the_subject_with_the_strokes_and_their_surroundings(image):
    told, mask = Told(plane(BODY)), plane((20, 40, 60, 80))
    top, bottom, left, right = spread(image, mask, plane((50, 55, 60, 70)), None, network=told).window
    reach = 1.5 * 0.1 * W  # of the stroke, which is shorter than the shortest that counts; farther than the subject's
    assert (top, bottom, left) == pytest.approx((20 - 5, 55 + reach, 60 - reach), abs=2)
    assert right == pytest.approx(70 + reach, abs=2)
    assert max(told.seen[0][0].shape[-2:]) == min(GRID, max(bottom - top, right - left))
    assert spread(image, TRUTH, plane((0, 4, 0, 60), (156, 160, 140, 200)), None, network=told).window == (0, H, 0, W)


def test_of_an_empty_mask_a_stroke_sees_three_times_its_length(image):
    found = spread(image, torch.zeros(1, 1, H, W), plane((80, 82, 90, 130)), None, network=Told(plane(BODY)))
    assert found.window[2:] == pytest.approx((90 - 60, 130 + 60), abs=6)  # a cell at each end counts as marked


def test_maps_are_seen_where_the_window_lies(image):
    """A ramp over the photograph is the same ramp in the window."""
    told = Told(plane(BODY))
    ramp = ((torch.arange(32) + 0.5) / 32).expand(1, LEARNT, 32, 32)
    found = spread(image, plane((20, 40, 60, 80)), plane((50, 55, 60, 100)), None, lambda: ramp, told)
    _, _, left, right = found.window
    expected = (left + (torch.arange(32) + 0.5) / 32 * (right - left)) / W
    torch.testing.assert_close(told.seen[0][1][0, 0, 5], expected.clamp(min=0.5 / 32, max=31.5 / 32))


def test_a_stroke_smaller_than_a_cell_is_not_lost(image):
    big = torch.nn.functional.interpolate(image, scale_factor=4)
    point = torch.zeros(1, 1, 4 * H, 4 * W)
    point[..., 440, 400] = 1
    mask = torch.nn.functional.interpolate(plane(HEAD), scale_factor=4)
    found = spread(big, mask, point, None, network=Spreader())
    assert float(found.added.sum()) == 1


def test_fine_structure_is_raised_and_what_was_sure_replaced():
    stripes = (torch.arange(8) % 2).float().expand(1, 1, 8, 8) * 0.6
    ones, zeros = torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)
    raised = changed(stripes, Spread((0, 8, 0, 8), ones, zeros, 0.3 * ones, zeros))
    torch.testing.assert_close(raised, stripes + 0.3)
    assert torch.equal(changed(stripes, Spread((0, 8, 0, 8), ones, zeros, 0.3 * ones, ones)), torch.ones(1, 1, 8, 8))
    gone = changed(stripes, Spread((0, 8, 0, 8), zeros, ones, -0.3 * ones, ones))
    assert torch.equal(gone, torch.zeros(1, 1, 8, 8))


@pytest.mark.parametrize("keeps", [True, False])
def test_what_was_half_seen_beside_it_changes_with_it(image, keeps, monkeypatch):
    """A body of which the mask misses one half and sees stripes of the other; the network is sure of all of it. What is
    not touched, and what would be changed by less than OPEN, stays."""
    monkeypatch.setattr(strokes, "GRID", 90)  # stripes are averaged in a cell
    stripes = torch.where(torch.arange(W) % 2 == 0, 0.35, 0.85)
    missed, dim, apart = plane((40, 120, 20, 90)), plane((40, 120, 90, 160)), plane((130, 145, 20, 90))
    sure = plane((40, 120, 160, 190))
    before, wanted = stripes * dim + 0.6 * apart + 0.93 * sure, missed + dim + apart + sure
    told, stroke = Told(wanted if keeps else 1 - wanted), plane((60, 64, 25, 85))
    shown = before if keeps else 1 - before
    found = spread(image, shown, stroke if keeps else None, None if keeps else stroke, network=told)
    top, bottom, left, right = found.window
    after = changed(shown[..., top:bottom, left:right], found)
    after = after if keeps else 1 - after

    def inner(a, b, c, d):
        return after[..., a - top : b - top, c - left : d - left]

    assert inner(44, 116, 24, 156).min() > 0.99, "both halves are whole"
    assert bottom > 145 and inner(134, 142, 24, 86).sub(0.6).abs().max() < 1e-6
    assert inner(60, 100, 172, 180).sub(0.93).abs().max() < 1e-6


@pytest.mark.parametrize("against", [0.5, 0.7])
def test_a_stroke_on_a_mask_that_says_nearly_so_is_not_new(image, monkeypatch, against):
    monkeypatch.setattr(strokes, "AGAINST", against)
    half = plane(HEAD) + 0.4 * plane(BODY)  # the stroke differs by .6
    found = spread(image, half, plane((110, 116, 70, 130)), None, network=Told(TRUTH))
    assert (found is None) == (against > 0.6)
