"""The nodes that a mask goes through on its way out: grown, shrunk, softened, inverted, a picture; cropped to."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage


def adjust(pack, mask, shift_edge=0.0, feather=0.0, invert=False):
    return pack.NuggyAdjustMask.execute(mask, shift_edge, feather, invert).args


def crop(pack, image, mask, crop="subject", margin=0.0, long_side=0, multiple="1", follow=False):
    return pack.NuggyCropSubject.execute(image, mask, crop, margin, long_side, multiple, follow).args


def test_left_alone_it_is_the_mask_and_its_grey_picture(pack, mask):
    same, picture = adjust(pack, mask)
    assert torch.equal(same, mask)
    assert picture.shape == (2, 48, 64, 3) and all(torch.equal(picture[..., c], mask) for c in range(3))


@pytest.mark.parametrize("pixels", [-1.0, 1.0])
def test_grows_and_shrinks_as_scipy_does(pack, mask, pixels):
    cross = ndimage.generate_binary_structure(2, 1)
    move = ndimage.grey_dilation if pixels > 0 else ndimage.grey_erosion
    expected = np.stack([move(m, footprint=cross) for m in mask.numpy()])
    assert np.array_equal(adjust(pack, mask, shift_edge=pixels)[0].numpy(), expected)


def test_blurs_as_scipy_does(pack, mask):
    expected = np.stack([ndimage.gaussian_filter(m, 2.5, mode="nearest") for m in mask.numpy()])
    assert np.abs(adjust(pack, mask, feather=2.5)[0].numpy() - expected).max() < 1e-3


def test_inverts_last_and_forgets_the_recipe(pack, mask):
    import sys

    settings = sys.modules["nuggy_nodes.nodes.settings"]
    given = settings.carry(mask.clone(), "best")
    grown, turned = adjust(pack, given, shift_edge=2.0)[0], adjust(pack, given, shift_edge=2.0, invert=True)[0]
    assert torch.equal(turned, 1 - grown)
    assert settings.carried(grown) == "best" and settings.carried(turned) == "balanced"


def test_crops_to_the_bounding_box_bit_for_bit(pack, image, mask):
    seen = (mask > 0.05).any(0)
    rows, columns = seen.any(1).nonzero()[:, 0], seen.any(0).nonzero()[:, 0]
    at = (slice(None), slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
    pictures, masks = crop(pack, image, mask)
    assert torch.equal(pictures, image[at]) and torch.equal(masks, mask[at])


def test_margin_and_square(pack, image, mask):
    one, disc = image[:1], mask[:1]
    plain, wide = crop(pack, one, disc)[0], crop(pack, one, disc, margin=0.2)[0]
    space = round(0.2 * max(plain.shape[1:3]))
    assert wide.shape[2] == plain.shape[2] + 2 * space
    tall = torch.zeros(1, 48, 64)
    tall[:, :, 2:6] = 1
    picture, alpha = crop(pack, one, tall, "square", margin=0.0)
    assert picture.shape[1] == picture.shape[2] == 48 and alpha.sum() == tall.sum()
    sized = crop(pack, one, disc, "square", long_side=128, multiple="8")[0]
    assert sized.shape[1:3] == (128, 128)


def test_beyond_the_picture_there_is_its_border_and_no_mask(pack, image):
    mask = torch.zeros(1, 48, 64)
    mask[:, 10:12] = 1
    picture, alpha = crop(pack, image[:1], mask, "square")
    assert picture.shape[1:3] == (64, 64) and alpha.sum() == mask.sum()
    assert torch.equal(picture[:, 0], picture[:, 7]) and torch.equal(picture[:, 8], image[:1, 0])


def test_follow_moves_the_window_with_the_subject(pack, image, mask):
    still, moving = crop(pack, image, mask)[1], crop(pack, image, mask, follow=True)[1]
    assert moving.shape[2] < still.shape[2]
    assert torch.equal(moving[0], moving[1])  # the same disc in the middle of both


def test_an_empty_mask_crops_nothing_and_says_so(pack, image, state):
    picture, alpha = crop(pack, image, torch.zeros(1, 64, 64))
    assert torch.equal(picture, image) and alpha.shape == (2, 48, 64) and not alpha.any()
    assert state.texts == ["the mask is empty: nothing is cropped"]


def test_choices_are_checked(pack):
    assert "crop must be one of" in pack.NuggyCropSubject.validate_inputs(crop="round")
    assert pack.NuggyCropSubject.validate_inputs(crop="square", multiple="8") is True
