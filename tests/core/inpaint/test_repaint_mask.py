"""The repaint mask: what it guarantees of pixels and of latent cells, against SciPy and a plain reading."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import ndimage

from nuggy_nodes.core.errors import InputError
from nuggy_nodes.core.inpaint.repaint_mask import in_cells, ramp_inside, repaint_mask


def soft_disc(height=72, width=88, at=(35, 41), radius=18.0, soft=6.0):
    y, x = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
    far = ((y - at[0]) ** 2 + (x - at[1]) ** 2).sqrt()
    return ((radius - far) / soft + 0.5).clamp(0, 1)[None, None]


def strand(height=64, width=64):
    """A slanting line one to two pixels wide, opaque in its middle."""
    alpha = torch.zeros(1, 1, height, width)
    for y in range(height):
        alpha[..., y, 5 + y // 2] = 1.0
        alpha[..., y, 6 + y // 2] = 0.4
    return alpha


def sampled(mask):
    """How ComfyUI brings a noise mask to the latent grid (comfy.utils.reshape_mask)."""
    return F.interpolate(mask, size=(mask.shape[-2] // 8, mask.shape[-1] // 8), mode="bilinear")


@pytest.mark.parametrize("grow", [0, 1, 5, 40])
@pytest.mark.parametrize("protect", [0.3, 0.5, 0.8, 0.95, 1.0])
def test_equals_scipys_dilation_under_the_protected_pixels(grow, protect):
    alpha = soft_disc()
    a = alpha[0, 0].numpy()
    wide = ndimage.grey_dilation(((a < 0.5) & (a < protect)).astype(float), size=(2 * grow + 1,) * 2, mode="nearest")
    expected = wide * (a < protect)
    assert np.array_equal(repaint_mask(alpha, grow, 0, protect, grid=1)[0, 0].numpy(), expected)


@pytest.mark.parametrize("feather", [0, 1, 2, 7, 32])
@pytest.mark.parametrize("grow", [0, 9])
@pytest.mark.parametrize("alpha", [soft_disc(), soft_disc(61, 75), strand()], ids=["disc", "odd", "strand"])
def test_never_on_the_subject_and_not_on_its_cells(alpha, grow, feather):
    """The guarantee of "keep", for pixels and for what a sampler sees of each latent cell."""
    solid = alpha >= 0.95
    pixels = repaint_mask(alpha, grow, feather, grid=1)
    assert pixels[solid].abs().max() == 0 and pixels.min() >= 0 and pixels.max() <= 1
    mask = repaint_mask(alpha, grow, feather)
    height, width = alpha.shape[-2:]
    for top in range(0, height, 8):
        for left in range(0, width, 8):
            cell = np.s_[..., top : top + 8, left : left + 8]
            assert mask[cell].min() == mask[cell].max() == pixels[cell].min()
    if not height % 8 and not width % 8:
        seen = sampled(mask)
        assert torch.equal(seen, mask[..., ::8, ::8])  # constant cells: nothing is lost between the samples
        holds = F.max_pool2d(solid.float(), 8) > 0
        assert seen[holds].abs().max() == 0
        assert torch.allclose(F.interpolate(mask, size=seen.shape[-2:], mode="area"), seen, atol=1e-6)
        assert torch.equal(F.interpolate(mask, size=seen.shape[-2:], mode="nearest"), seen)


def test_a_pixel_mask_loses_a_strand_between_the_samples():
    """Why the mask is made of cells: the sampler looks at the middle four pixels of a cell only."""
    alpha = strand()
    holds = F.max_pool2d((alpha >= 0.95).float(), 8) > 0
    assert sampled(repaint_mask(alpha, 0, grid=1))[holds].max() == 1
    assert sampled(repaint_mask(alpha, 0, grid=8))[holds].max() == 0


@pytest.mark.parametrize("alpha", [soft_disc(), strand()])
def test_repainted_cells_leave_no_background(alpha):
    mask = repaint_mask(alpha, 0, cells="repaint")
    assert mask[alpha < 0.5].min() == 1
    assert set(mask.unique().tolist()) == {0.0, 1.0} or float(mask.min()) == 1
    inner = F.max_pool2d((alpha < 0.5).float(), 8) == 0
    assert torch.all(sampled(mask)[inner] == 0)


@pytest.mark.parametrize("length", [2, 3, 8, 15])
def test_ramp_begins_at_the_area_and_rises_over_its_length(length):
    area = torch.ones(1, 1, 40, 80)
    area[..., :20] = 0
    ramp = ramp_inside(area, length)
    assert ramp[..., :20].abs().max() == 0  # exactly
    row = ramp[0, 0, 13].numpy()
    assert np.all(np.diff(row) >= -1e-6) and row[19 + length] < 1 and row[20 + length] == 1
    assert abs(row[20 : 20 + length].mean() - 0.5) < 0.5 / length + 0.01
    assert torch.all(ramp[..., 20 + length :] == 1)  # the picture's border is no border of the area


def test_batch_is_made_one_by_one_and_half_precision_is_taken():
    both = torch.cat((soft_disc(64, 64, (30, 30), 12.0), soft_disc(64, 64, (20, 44), 15.0)))
    assert torch.equal(repaint_mask(both, 4, 6)[1:], repaint_mask(both[1:], 4, 6))
    assert repaint_mask(both.half(), 4, 6).dtype == torch.float32
    turned = both.transpose(-1, -2)
    assert torch.equal(repaint_mask(turned, 4, 6, grid=8), repaint_mask(turned.contiguous(), 4, 6, grid=8))


def test_empty_and_full():
    assert torch.all(repaint_mask(torch.zeros(1, 1, 20, 20)) == 1)
    assert torch.all(repaint_mask(torch.ones(1, 1, 20, 20)) == 0)
    assert torch.all(repaint_mask(torch.zeros(1, 1, 20, 20), feather=64) == 1)


def test_within():
    within = torch.zeros(1, 1, 32, 32)
    within[..., 8:24, 8:24] = 1
    mask = repaint_mask(torch.zeros(2, 1, 32, 32), within=within)
    assert torch.equal(mask, within.expand(2, -1, -1, -1))


def test_cells_without_negative_zero():
    mask = in_cells(torch.zeros(1, 1, 9, 9), 8)
    assert not torch.signbit(mask).any()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"grow": -1}, "0 or more"),
        ({"feather": -1}, "0 or more"),
        ({"grid": 0}, "grid 1 or more"),
        ({"protect": 0}, "above 0 and at most 1"),
        ({"cells": "both"}, "keep or repaint; got 'both'"),
    ],
)
def test_refused(wrong, sentence):
    with pytest.raises(InputError, match=sentence):
        repaint_mask(torch.zeros(1, 1, 8, 8), **wrong)
