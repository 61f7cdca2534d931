"""Guidance: what it does to a drawn photograph whose truth is known, and what it refuses."""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core import Guidance, InputError, answer, cutout
from nuggy_nodes.core.segment.guidance import marks
from tests.core.drawn_subject import HEAD, TRUTH, H, W, plane, seen


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_marks_of_any_float(image, dtype):
    stroke = plane((110, 116, 70, 130))
    want = answer(seen(image, plane(HEAD)), Guidance(keep=stroke)).alpha
    assert torch.equal(answer(seen(image, plane(HEAD)), Guidance(keep=stroke.to(dtype))).alpha, want)


def test_points_are_discs():
    drawn = marks([(50, 40)], H, W, 5)
    ys, xs = drawn[0, 0].nonzero().T
    assert (int(xs.float().mean()), int(ys.float().mean())) == (50, 40) and 15 <= len(xs) <= 25


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Guidance(keep=plane((0, 9, 0, 9)), drop=plane((2, 9, 0, 9))), "both mark 63 pixels"),
        (Guidance(keep=torch.ones(1, 1, H, W + 40)), "smaller with the same proportions"),
        (Guidance(keep=torch.ones(1, 1, H // 2, W)), "same proportions"),
        (Guidance(keep=torch.ones(3, 1, H, W)), "batch of 3"),
        (Guidance(mask=torch.ones(H, W)), r"shape \(160, 200\)"),
        (Guidance(mask=torch.ones(1, 1, H, W, dtype=torch.uint8)), "uint8"),
        (Guidance(mask=torch.full((1, 1, H, W), 255.0)), "outside 0 to 1"),
        (Guidance(mask=torch.full((1, 1, H, W), float("nan"))), "NaN"),
        (Guidance(mask=torch.zeros(1, 1, H, W)), "missing or empty"),
        (Guidance(mask=TRUTH, uncertainty=0.0), "uncertainty"),
        (Guidance(mask=TRUTH, boxes=[(0, 0, W + 1, 5)]), "lies outside the photograph"),
        (Guidance(mask=TRUTH, boxes=[(0, 0, 0, 5)]), "at least one pixel"),
        (Guidance(mask=TRUTH, boxes=[(0, 0, 5)]), r"\(x, y, width, height\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(image, said, words):
    with pytest.raises(InputError, match=words):
        cutout(image, None, guidance=said)


def test_where_strokes_cross_neither_is_said(image):
    across, down = plane((50, 54, 20, 90)), plane((20, 90, 50, 54))
    said = Guidance(keep=across, drop=down).fitted(image)
    assert torch.equal(said.keep, across - across * down) and torch.equal(said.drop, down - across * down)


def test_a_point_outside_is_refused():
    with pytest.raises(InputError, match="outside the photograph of 200x160"):
        marks([(200, 10)], H, W)


def test_marks_are_0_or_1_and_a_mask_is_as_soft_as_it_was(image):
    soft = 0.2 + 0.5 * plane(HEAD)
    said = Guidance(mask=soft, keep=soft * 0.9, unsure=soft).fitted(image)
    assert torch.equal(said.mask, soft)
    assert torch.equal(said.keep, plane(HEAD)) and torch.equal(said.unsure, plane(HEAD)) and said.drop is None
