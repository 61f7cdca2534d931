"""Where the window lies: around the subject, over all frames or with each."""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core.errors import InputError
from nuggy_nodes.core.inpaint.plan_crop import plan_crop
from tests.core.inpaint.scenes import blob


@pytest.mark.parametrize("long_side", [64, 256, 700])
@pytest.mark.parametrize("shape", ["picture", "subject", "square"])
def test_working_size_and_aspect(shape, long_side):
    alpha = blob(300, 451, 40, 200, 100, 180)
    crop = plan_crop(alpha, shape, long_side=long_side, multiple=16)
    assert max(crop.size) == -(-long_side // 16) * 16 and min(crop.size) % 16 == 0
    across, down = crop.size[1] / crop.box[1], crop.size[0] / crop.box[0]
    assert abs(across / down - 1) < 0.01  # nothing is stretched


def test_one_window_for_all_frames_or_one_that_follows():
    frames = torch.cat([blob(200, 300, 50, 90, at, at + 30) for at in (20, 100, 250)])
    steady = plan_crop(frames, "subject", margin=0.1)
    assert len(steady.corners) == 1 and steady.box[1] >= 260
    follows = plan_crop(frames, "subject", margin=0.1, follow=True)
    assert len(follows.corners) == 3 and follows.box == (48, 40)
    lefts = [left for _, left in follows.corners]
    assert lefts == [15, 95, 245]
    cut = follows.cut(frames)
    assert cut.shape == (3, 1, 48, 40) and torch.equal(cut[0], cut[1]) and torch.equal(cut[1], cut[2])
    assert torch.equal(follows.place(cut, torch.zeros_like(frames)), frames)
    assert follows.frame(1).corners == (follows.corners[1],)


def test_a_frame_without_subject_keeps_to_the_middle_of_the_others():
    frames = torch.cat([blob(200, 300, 50, 90, 20, 50), torch.zeros(1, 1, 200, 300), blob(200, 300, 50, 90, 220, 250)])
    corners = plan_crop(frames, "subject", follow=True).corners
    assert corners[0][1] < corners[1][1] < corners[2][1]


def test_no_subject_is_the_whole_photograph():
    for shape in ("picture", "subject"):
        assert plan_crop(torch.zeros(1, 1, 40, 56), shape).box == (40, 56)


def test_faint_noise_does_not_widen_the_window():
    alpha = blob(200, 200, 80, 120, 80, 120) + 0.04
    assert plan_crop(alpha, "subject", margin=0).box == (40, 40)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"shape": "round"}, "picture, subject, square; got 'round'"),
        ({"margin": -1}, "margin must be from 0"),
        ({"multiple": 0}, "multiple must be at least 1"),
        ({"long_side": -5}, "long_side 0 or more"),
    ],
)
def test_refused(wrong, sentence):
    with pytest.raises(InputError, match=sentence):
        plan_crop(torch.ones(1, 1, 8, 8), **wrong)


def test_what_is_faintly_visible_counts_and_the_margin_is_of_the_longer_side():
    alpha = blob(200, 300, 80, 100, 100, 200) * 0.1
    crop = plan_crop(alpha, "subject", margin=0.1, multiple=1)
    assert crop.box == (40, 120) and crop.corners == ((70, 90),)
    assert plan_crop(alpha * 0.4, "subject", multiple=1).box == (200, 300)


def test_a_square_larger_than_the_photograph_is_centred_on_it():
    crop = plan_crop(blob(100, 300, 10, 90, 20, 280), "square", margin=0, multiple=1)
    assert crop.box == (260, 260) and crop.corners == ((-80, 20),)
