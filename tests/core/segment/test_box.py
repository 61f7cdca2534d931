"""Boxes: the subject lies in one of them."""

from __future__ import annotations

import torch

from nuggy_nodes.core import Guidance, answer
from tests.core.drawn_subject import HEAD, TRUTH, plane, seen


def test_outside_boxes_nothing_stays(image):
    after = answer(seen(image, TRUTH), Guidance(boxes=[(60, 20, 80, 60)])).alpha
    assert torch.equal(after, plane(HEAD))
