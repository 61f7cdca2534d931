"""Before and behind a diffusion model: what is hidden, what is kept, and the subject back bit for bit.

The model is played by functions of the prepared picture and mask: a perfect one that paints a known background where it
may, one whose decoder spoils everything a little, one that spoils everything wholly.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nuggy_nodes.core import paste_back, prepare_inpainting
from nuggy_nodes.core.errors import InputError
from nuggy_nodes.core.inpaint.prepare import NEUTRAL, reach
from nuggy_nodes.core.ops.composite import over


def scene(height=120, width=152, seed=0, frames=1):
    """A textured subject with a soft edge and a whisker over loud blotches: image, alpha, foreground."""
    g = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
    alphas, fronts, images = [], [], []
    for i in range(frames):
        at = width * (0.4 + 0.1 * i)
        far = ((y - height * 0.5) ** 2 + (x - at) ** 2).sqrt()
        alpha = ((height * 0.25 - far) / 7 + 0.5).clamp(0, 1)
        whisker = ((y - height * 0.5).abs() < 1) & (x > at) & (x < at + height * 0.4)
        alpha = torch.maximum(alpha, whisker * 0.9)
        front = 0.5 + 0.3 * torch.stack([torch.sin(x / 9), torch.cos(y / 11), torch.sin((x + y) / 13)])
        back = torch.rand(1, 3, -(-height // 24), -(-width // 24), generator=g)
        back = torch.nn.functional.interpolate(back, size=(height, width), mode="bicubic").clamp(0, 1)[0]
        alphas.append(alpha[None])
        fronts.append(front)
        images.append(front * alpha + back * (1 - alpha))
    return torch.stack(images), torch.stack(alphas), torch.stack(fronts)


def new_background(height, width, frames=1):
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    return torch.stack([0.2 + 0.6 * x, 0.8 - 0.5 * y, 0.3 + 0.4 * x * y])[None].repeat(frames, 1, 1, 1)


def perfect(prepared, background):
    """What it may repaint is the background; what it may not it gives back as it was."""
    return torch.lerp(prepared.image, background.expand_as(prepared.image), prepared.mask)


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


@pytest.mark.parametrize("cells", ["keep", "repaint"])
@pytest.mark.parametrize("fill", ["neutral", "subject", "original"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"long_side": 96},
        {"multiple": 64},
        {"crop": "subject"},
        {"crop": "square", "long_side": 128},
        {"feather": 16},
    ],
    ids=lambda s: "-".join(s) or "whole",
)
def test_subject_is_the_photographs_bit_for_bit(settings, fill, cells):
    """Whatever the model makes of it: here it spoils every pixel."""
    image, alpha, _ = scene(121, 155)
    made = prepare_inpainting(image, alpha, fill=fill, cells=cells, **settings)
    picture, background = paste_back(made.stitch, 1 - made.image)
    solid = (alpha == 1).expand_as(image)
    assert torch.equal(picture[solid], image[solid]) and picture.shape == image.shape == background.shape
    rows, columns = made.stitch.crop.inside()
    outside = torch.ones_like(solid)
    outside[..., rows, columns] = False
    assert torch.equal(picture[outside], image[outside])
    assert picture.min() >= 0 and picture.max() <= 1 and torch.isfinite(background).all()
    if "crop" not in settings:
        changed = (picture - image).abs().mean(1, keepdim=True)[alpha == 0]
        assert (changed > 1 / 255).float().mean() > 0.9


@pytest.mark.parametrize("fill", ["neutral", "subject"])
@pytest.mark.parametrize(("cells", "bound"), [("repaint", 0.015), ("keep", 0.02)])
def test_a_perfect_model_gives_the_true_composite(fill, cells, bound):
    """Against the composite from the scene's own foreground and alpha: no rim of the old background, of the fill, or of
    the subject a second time. `bound` is the mean error at soft edges; the plain way (the photograph's pixels by alpha
    over what the model gave) has several times that."""
    image, alpha, front = scene(160, 200)
    made = prepare_inpainting(image, alpha, fill=fill, cells=cells)
    background = new_background(160, 200)
    painted = perfect(made, background)
    picture, behind = paste_back(made.stitch, painted)
    true = over(front, alpha, background)
    edge = ((alpha > 0) & (alpha < 1)).expand_as(image)
    error = (picture - true)[edge].abs().mean()
    plain = (over(image, alpha, painted) - true)[edge].abs().mean()
    assert error < bound and error < 0.35 * plain, (error, plain)
    ring = (torch.nn.functional.max_pool2d((alpha > 0).float(), 21, 1, 10) > 0) & (alpha == 0)
    assert (picture - true)[ring.expand_as(image)].abs().mean() < bound
    assert (behind - background)[(alpha < 1).expand_as(image)].abs().mean() < bound


def test_where_it_painted_its_own_pixels_stay():
    image, alpha, _ = scene()
    made = prepare_inpainting(image, alpha, cells="repaint")
    painted = torch.rand(image.shape, generator=torch.Generator().manual_seed(3))
    picture, background = paste_back(made.stitch, painted)
    own = torch.nn.functional.max_pool2d((made.mask < 1).float(), 2 * 10 + 1, 1, 10) == 0
    own = (own & (alpha == 0)).expand_as(image)
    assert own.float().mean() > 0.3 and torch.equal(picture[own], painted[own])
    assert torch.equal(background[own], painted[own])


def test_an_original_background_is_not_continued_but_taken():
    """The model was shown the photograph: what it gives of a kept cell is background like any other."""
    image, alpha, _ = scene()
    made = prepare_inpainting(image, alpha, fill="original")
    picture, _ = paste_back(made.stitch, made.image)
    clear = (alpha == 0).expand_as(image)
    assert torch.equal(picture[clear], image[clear])
    assert (picture - image).abs().max() < 0.05  # nothing was painted: the photograph again, edges included


def test_crop_fades_into_the_photograph():
    image, alpha, _ = scene(240, 400)
    image = 0.5 + 0 * image
    made = prepare_inpainting(image, alpha, crop="subject", margin=0.5, fill="original")
    picture, _ = paste_back(made.stitch, torch.ones_like(made.image))
    rows, columns = made.stitch.crop.inside()
    line = picture[0, 0, rows.start + 4, columns.start : columns.start + 3 * made.stitch.border + 8].numpy()
    assert line[0] == 0.5
    column = picture[0, 0, (rows.start + rows.stop) // 2, columns.start : columns.start + 2 * made.stitch.border + 4]
    steps = np.diff(column.numpy())
    assert np.all(steps >= 0) and steps.max() < 1.2 * 0.5 / made.stitch.border and column[-1] == 1


def test_enlarged_by_an_upscaler_between():
    image, alpha, _ = scene()
    made = prepare_inpainting(image, alpha, long_side=80)
    background = new_background(*made.stitch.crop.size)
    painted = torch.nn.functional.interpolate(background, scale_factor=4, mode="bicubic").clamp(0, 1)
    small, _ = paste_back(made.stitch, background)
    large, _ = paste_back(made.stitch, painted)
    assert (small - large).abs().mean() < 0.01


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


def test_one_photograph_many_paintings_and_the_reverse():
    image, alpha, _ = scene(frames=2)
    one = prepare_inpainting(image[:1], alpha[:1])
    four = torch.rand(4, *image.shape[1:], generator=torch.Generator().manual_seed(2))
    made = paste_back(one.stitch, four)[0]
    assert torch.equal(made[3:], paste_back(one.stitch, four[3:])[0]) and len(made) == 4
    two = prepare_inpainting(image, alpha)
    assert len(paste_back(two.stitch, four[:1])[0]) == 2
    assert len(prepare_inpainting(image, alpha[:1]).image) == 2


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
    made = prepare_inpainting(image.expand(3, -1, -1, -1), alpha)
    with pytest.raises(InputError, match="painted is 152x60 and the prepared picture was 152x120"):
        paste_back(made.stitch, image[..., :60, :])
    with pytest.raises(InputError, match="a batch of 2 and the prepared picture a batch of 3"):
        paste_back(made.stitch, image.expand(2, -1, -1, -1))
