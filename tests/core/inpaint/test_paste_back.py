"""Behind a diffusion model: the subject comes back bit for bit, and no rim of the old background."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nuggy_nodes.core import InputError, paste_back, prepare_inpainting
from nuggy_nodes.core.ops.composite import over
from tests.core.inpaint.scenes import new_background, perfect, scene


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
    mostly = ((alpha > 0.5) & (alpha < 1)).expand_as(image)  # the background alone: no share of the subject in it
    assert (behind - background)[mostly].abs().mean() < 0.5 * (picture - background)[mostly].abs().mean()


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


def test_one_photograph_many_paintings_and_the_reverse():
    image, alpha, _ = scene(frames=2)
    one = prepare_inpainting(image[:1], alpha[:1])
    four = torch.rand(4, *image.shape[1:], generator=torch.Generator().manual_seed(2))
    made = paste_back(one.stitch, four)[0]
    assert torch.equal(made[3:], paste_back(one.stitch, four[3:])[0]) and len(made) == 4
    two = prepare_inpainting(image, alpha)
    assert len(paste_back(two.stitch, four[:1])[0]) == 2
    assert len(prepare_inpainting(image, alpha[:1]).image) == 2


def test_pictures_that_do_not_belong():
    image, alpha, _ = scene()
    made = prepare_inpainting(image.expand(3, -1, -1, -1), alpha)
    with pytest.raises(InputError, match="painted is 152x60 and the prepared picture was 152x120"):
        paste_back(made.stitch, image[..., :60, :])
    with pytest.raises(InputError, match="a batch of 2 and the prepared picture a batch of 3"):
        paste_back(made.stitch, image.expand(2, -1, -1, -1))
