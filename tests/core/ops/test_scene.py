"""Placing, shadow and blurred background against Pillow, SciPy and closed forms."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from nuggy_nodes.core.errors import InputError
from nuggy_nodes.core.ops.scene import blurred_background, placed, smooth, soft_shadow


@pytest.fixture
def subject(rng):
    colours = torch.from_numpy(rng.random((1, 3, 60, 80), np.float32))
    alpha = torch.zeros(1, 1, 60, 80)
    alpha[..., 20:40, 30:50] = 1
    return colours, alpha


def test_unmoved_it_is_itself(subject):
    assert all(a is b for a, b in zip(placed(*subject), subject))


def test_moved_it_stands_where_it_is_told_and_is_cut_off_at_the_frame(subject):
    colours, alpha = subject
    moved, there = placed(colours, alpha, 1.0, 0.25, -0.5)  # 20 to the right, 30 up
    want = torch.zeros_like(alpha)
    want[..., 0:10, 50:70] = 1
    assert torch.equal(there, want)
    assert torch.allclose(moved[..., 0:10, 50:70], colours[..., 30:40, 30:50], atol=1e-6)
    assert not placed(colours, alpha, 1.0, 3.0, 0.0)[1].any()


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_sizes_as_pillow_has_them(subject, scale):
    colours, alpha = subject
    _, there = placed(colours, alpha, scale)
    size = round(80 * scale), round(60 * scale)
    big = np.array(Image.fromarray(alpha[0, 0].numpy()).resize(size, Image.Resampling.BILINEAR))
    want = np.zeros((60, 80), np.float32)
    y, x = (60 - size[1]) // 2, (80 - size[0]) // 2
    if scale < 1:
        want[y : y + size[1], x : x + size[0]] = big
    else:
        want = big[-y : -y + 60, -x : -x + 80]
    assert np.abs(there[0, 0].numpy() - want).max() < 0.02


def test_hidden_colours_do_not_come_in(subject):
    colours, alpha = torch.zeros(1, 3, 60, 80), subject[1]
    colours[:] = torch.where(alpha > 0, 0.25, 1.0)
    moved, there = placed(colours, alpha, 0.7, 0.03, 0.02)
    assert (moved[:, :, there[0, 0] > 0.01] - 0.25).abs().max() < 1e-3


def test_smooth_is_close_to_a_gaussian(rng):
    x = rng.random((1, 1, 90, 90), np.float32)
    want = ndimage.gaussian_filter(x[0, 0], 6.0)
    got = smooth(torch.from_numpy(x), 6.0)[0, 0].numpy()
    assert np.abs(got - want)[25:-25, 25:-25].max() < 0.01


def test_a_shadow_is_moved_and_as_strong_as_told():
    alpha = torch.zeros(1, 1, 200, 200)
    alpha[..., 60:140, 60:140] = 1
    shade = soft_shadow(alpha, 0.4, 0.01, 0.1, 0.05)  # 20 to the right, 10 down
    assert shade.max() == pytest.approx(0.4, abs=1e-3)
    rows, columns = ndimage.center_of_mass(shade[0, 0].numpy())
    assert (rows, columns) == pytest.approx((109.5, 119.5), abs=0.1)


def test_the_blurred_background_has_nothing_of_the_subject():
    image = torch.full((1, 3, 120, 120), 0.3)
    alpha = torch.zeros(1, 1, 120, 120)
    alpha[..., 30:90, 30:90] = 1
    image[:, :, 30:90, 30:90] = 1.0
    behind = blurred_background(image, alpha, 0.03)
    assert (behind[alpha.expand_as(behind) == 0] - 0.3).abs().max() < 0.01
    assert (behind - 0.3).abs().max() < 0.1  # far under the subject, too


def test_scales_out_of_range_are_refused(subject):
    with pytest.raises(InputError, match="scale must be from"):
        placed(*subject, scale=0.0)
