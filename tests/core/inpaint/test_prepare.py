"""Before and behind a diffusion model: what is hidden, what is kept, and the subject back bit for bit.

The model is played by functions of the prepared picture and mask: a perfect one that paints a known background where it
may, one whose decoder spoils everything a little, one that spoils everything wholly.
"""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core import paste_back, prepare_inpainting
from nuggy_nodes.core.errors import InputError
from nuggy_nodes.core.inpaint.prepare import NEUTRAL, reach
from nuggy_nodes.core.ops.composite import over
from tests.core.inpaint.scenes import scene

# --- what the model is shown


@pytest.mark.parametrize("fill", ["neutral", "subject"])
@pytest.mark.parametrize("settings", [{}, {"long_side": 176}, {"multiple": 64}])
def test_the_old_background_has_no_influence(fill, settings):
    """All of it is exchanged but for what lies close to soft edges: the prepared picture stays, bit for bit."""
    image, alpha, _ = scene()
    scale = max(settings.get("long_side", 260) / 260, 0.1)
    near = torch.nn.functional.max_pool2d((alpha > 0).float(), 2 * int(20 / scale) + 1, 1, int(20 / scale)) > 0
    other = torch.where(near, image, 1 - image.flip(-1))
    assert (other != image).float().mean() > 0.15
    a, b = (prepare_inpainting(x, alpha, fill=fill, **settings) for x in (image, other))
    if "long_side" not in settings:
        assert torch.equal(a.image, b.image)
    else:
        assert (a.image - b.image).abs().max() < 1e-6
    assert torch.equal(a.mask, b.mask)


def test_neutral_is_the_subject_over_middle_grey():
    image, alpha, front = scene()
    made = prepare_inpainting(image, alpha).image
    assert made.shape == image.shape
    far = alpha == 0
    assert torch.all(made[far.expand_as(made)] == 0.5)  # exactly what VAEEncodeForInpaint puts there
    solid = (alpha == 1).expand_as(made)
    assert torch.equal(made[solid], image[solid])
    true = over(front, alpha, torch.full_like(front, NEUTRAL[0]))
    plain = over(image, alpha, torch.full_like(front, NEUTRAL[0]))
    edge = ((alpha > 0) & (alpha < 1)).expand_as(made)
    assert (made - true)[edge].abs().mean() < 0.6 * (plain - true)[edge].abs().mean()


def test_original_is_the_photograph():
    image, alpha, _ = scene()
    assert torch.equal(prepare_inpainting(image, alpha, fill="original").image, image)


def test_crop_shows_the_photograph_at_its_ends_and_hides_the_rest():
    image, alpha, _ = scene(240, 400)
    made = prepare_inpainting(image, alpha, crop="subject", margin=0.5)
    (rows, columns), border = made.stitch.crop.inside(), made.stitch.border
    assert border >= 8
    part = image[..., rows, columns]
    assert torch.equal(made.image[..., :, :border], part[..., :, :border])  # a side that lies inside the photograph
    assert made.mask[..., :, :border].max() == 0
    allowed = reach(made.stitch.crop, border) > 0.5
    hidden = allowed & (made.mask == 1) & (alpha[..., rows, columns] == 0)
    assert hidden.float().mean() > 0.2 and torch.all(made.image[hidden.expand_as(made.image)] == 0.5)


def test_square_around_the_subject_is_a_reference_picture():
    image, alpha, _ = scene(100, 300)
    made = prepare_inpainting(image, alpha, crop="square", long_side=224, margin=1.0)
    assert made.image.shape[-2:] == (224, 224)
    rows, _ = made.stitch.crop.covered()
    assert rows.start > 0  # beyond the photograph: neutral, not its border drawn out
    assert torch.all(made.image[..., :10, :] == 0.5) and torch.all(made.image[..., :, :10] == 0.5)


# --- the subject comes back


# --- batches


def test_frames_are_treated_one_by_one():
    image, alpha, _ = scene(frames=3)
    settings = {"crop": "subject", "follow": True, "long_side": 64}
    made = prepare_inpainting(image, alpha, **settings)
    assert len(made.image) == 3 and len(made.stitch.crop.corners) == 3
    painted = torch.rand(made.image.shape, generator=torch.Generator().manual_seed(1))
    pictures, _ = paste_back(made.stitch, painted)
    solid = (alpha == 1).expand_as(image)
    assert torch.equal(pictures[solid], image[solid])
    whole = prepare_inpainting(image, alpha)
    alone = prepare_inpainting(image[2:], alpha[2:])
    assert torch.equal(whole.image[2:], alone.image) and torch.equal(whole.mask[2:], alone.mask)
    new = torch.rand(image.shape, generator=torch.Generator().manual_seed(2))
    assert torch.equal(paste_back(whole.stitch, new)[0][2:], paste_back(alone.stitch, new[2:])[0])


def test_half_precision_and_no_subject():
    image, alpha, _ = scene()
    made = prepare_inpainting(image.half(), alpha.half())
    picture, _ = paste_back(made.stitch, made.image.float())
    assert picture.dtype == made.image.dtype == torch.float16
    assert torch.equal(picture[(alpha == 1).expand_as(image)], image.half()[(alpha == 1).expand_as(image)])
    for nothing in (torch.zeros_like(alpha), torch.ones_like(alpha)):
        made = prepare_inpainting(image, nothing, crop="subject")
        picture, background = paste_back(made.stitch, 1 - image)
        assert torch.isfinite(background).all()
        assert torch.equal(picture, image if nothing.any() else 1 - image)


def test_progress_counts_frames():
    image, alpha, _ = scene(frames=2)
    seen = []
    made = prepare_inpainting(image, alpha, progress=lambda done, total: seen.append((done, total)))
    paste_back(made.stitch, made.image, lambda done, total: seen.append((done, total)))
    assert seen == [(0, 2), (1, 2), (2, 2)] * 2


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"fill": "black"}, "neutral, subject, original; got 'black'"),
        ({"multiple": 12}, "multiple of the latent grid, 8; got 12"),
        ({"cells": "some"}, "keep or repaint"),
        ({"crop": "oval"}, "picture, subject, square"),
    ],
)
def test_refused(wrong, sentence):
    image, alpha, _ = scene()
    with pytest.raises(InputError, match=sentence):
        prepare_inpainting(image, alpha, **wrong)


def test_pictures_that_do_not_belong():
    image, alpha, _ = scene()
    with pytest.raises(InputError, match="resize the alpha"):
        prepare_inpainting(image, alpha[..., 1:])
    with pytest.raises(InputError, match="a batch of 3 and alpha a batch of 2"):
        prepare_inpainting(image.expand(3, -1, -1, -1), alpha.expand(2, -1, -1, -1))
    with pytest.raises(InputError, match="NaN"):
        prepare_inpainting(image * float("nan"), alpha)
