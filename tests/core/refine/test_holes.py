import cv2
import numpy as np
import pytest
import torch

from nuggy_nodes.core.refine.holes import fill_holes
from nuggy_nodes.core.refine.islands import remove_islands

BODY = np.hypot(*np.mgrid[-150:150, -150:150]) < 120


def run(mask, **settings):
    out, reports = remove_islands(torch.from_numpy(mask.astype(np.float32))[None, None], max_hole=0.02, **settings)
    return out[0, 0].numpy(), reports[0].filled


@pytest.mark.parametrize("sigma", [0.8, 2.0, 4.0])
def test_a_soft_edged_hole_is_filled_to_its_rims_end(sigma):
    hole = np.hypot(*np.mgrid[-150:150, -130:170]) < 12
    mask = BODY * (1 - cv2.GaussianBlur(hole.astype(np.float32), (0, 0), sigma))
    out, filled = run(mask)
    assert filled == 1 and out[BODY].min() >= 1 - 0.5 / 255 and (out[~BODY] == 0).all()


def test_a_rim_that_rises_and_falls():
    mask = BODY.astype(float)
    distance = np.hypot(*np.mgrid[-150:150, -150:150])
    for reach, value in ((9, 0.9), (8, 0.58), (7, 0.62), (6, 0.25), (5, 0.0)):
        mask[distance < reach] = value
    out, filled = run(mask)
    assert filled == 1 and np.array_equal(out, BODY.astype(np.float32))


def test_the_haze_around_a_hole_and_the_outside_stay():
    mask = BODY.astype(float)
    mask[:, 140:] *= 0.6  # half of the body is see-through
    mask[150:155, 200:205] = 0
    out, filled = run(mask)
    mask[150:155, 200:205] = 1
    assert filled == 1 and np.array_equal(out, mask.astype(np.float32))


def test_a_rim_that_opens_to_the_outside_is_followed_as_far_as_it_is_closed():
    mask = np.zeros((200, 200))
    mask[50:150, 50:150] = 1
    mask[90:110, 140:150] = 0.6  # the wall at the right is thin
    mask[90:110, 130:140] = 0.0
    out, filled = run(mask)
    expected = mask.copy()
    expected[90:110, 130:140] = 1
    assert filled == 1 and np.array_equal(out, expected.astype(np.float32))


def test_a_large_hole_beside_a_small_one_stays():
    mask = np.ones((300, 300))
    mask[100:200, 100:200] = 0
    mask[150, 200:203] = 0.4  # a soft way
    mask[148:153, 203:208] = 0
    out, filled = run(mask, islands="all")
    expected = mask.copy()
    expected[148:153, 203:208] = 1
    assert filled == 1 and np.array_equal(out, expected.astype(np.float32))


@pytest.mark.parametrize("turns", range(4))
def test_a_gap_that_is_open_to_a_side_is_no_hole(turns):
    alpha = torch.ones(60, 60)
    alpha[20:24, :9] = 0
    alpha = torch.rot90(alpha, turns).contiguous()
    filled, count = fill_holes(alpha, 0.1, 1000)
    assert count == 0 and torch.equal(filled, alpha)


def test_a_hole_of_just_the_largest_size_is_filled_and_one_pixel_more_is_not():
    alpha = torch.ones(60, 60)
    alpha[20:24, 20:25] = 0  # 20 pixels
    filled, count = fill_holes(alpha, 0.1, 20)
    assert count == 1 and bool((filled == 1).all())
    filled, count = fill_holes(alpha, 0.1, 19)
    assert count == 0 and torch.equal(filled, alpha)
