"""An answer under guidance: obeyed, kept between strokes, the same one by one."""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core import Guidance, answer, cutout, look_once
from nuggy_nodes.core.recipes import recipe
from nuggy_nodes.core.refine.islands import remove_islands
from nuggy_nodes.core.refine.rough import refine_rough
from tests.core.drawn_subject import BODY, HEAD, TRUTH, H, W, plane, sad, seen


def test_a_stroke_is_obeyed_under_itself_whatever_it_lies_on(image):
    g = torch.Generator().manual_seed(3)
    keep = (torch.rand(1, 1, H, W, generator=g) > 0.995).float()
    drop = (torch.rand(1, 1, H, W, generator=g) > 0.995).float() * (1 - keep)
    after = answer(seen(image, TRUTH), Guidance(keep=keep, drop=drop)).alpha
    assert bool((after[keep > 0] == 1).all()) and bool((after[drop > 0] == 0).all())
    assert float(after.min()) >= 0 and float(after.max()) <= 1
    for one, stroke, value in ((Guidance(keep=keep), keep, 1), (Guidance(drop=drop), drop, 0)):
        assert bool((answer(seen(image, TRUTH), one).alpha[stroke > 0] == value).all())


def test_a_batch_is_its_photographs_one_by_one(image):
    images, before = torch.cat([image, image.flip(-1)]), torch.cat([plane(HEAD), plane(HEAD, BODY)])
    stroke = plane((110, 116, 70, 130))
    both = answer(seen(images, before), Guidance(keep=stroke)).alpha
    each = [answer(seen(i, b), Guidance(keep=stroke)).alpha for i, b in zip(images.split(1), before.split(1))]
    assert torch.equal(both, torch.cat(each))


def test_a_trimap_is_mask_and_unsure(image):
    unsure = plane((10, 155, 50, 150)) - plane((30, 140, 70, 130))
    after = cutout(image, None, guidance=Guidance(mask=plane((30, 140, 70, 130)), unsure=unsure)).alpha
    assert sad(after) < 0.2 * sad(plane((30, 140, 70, 130)))
    sure = unsure == 0
    assert torch.equal(after[sure], plane((30, 140, 70, 130))[sure])


def test_a_mask_of_ones_keeps_everything(image):
    assert bool((cutout(image, None, guidance=Guidance(mask=torch.ones(1, 1, H, W))).alpha == 1).all())


def test_views_are_kept_and_an_answer_does_not_change_them(network32, chelsea):
    image = chelsea[..., :128, :128].contiguous()
    small = recipe("default", views=recipe("fast").views)
    kept = look_once(image, network32, small)
    before = kept.alpha.clone()
    stroke = torch.zeros(1, 1, 128, 128)
    stroke[..., 5:9, 5:40] = 1
    once = answer(kept, Guidance(drop=stroke)).alpha
    assert torch.equal(once, answer(kept, Guidance(drop=stroke)).alpha)
    assert torch.equal(kept.alpha, before) and torch.equal(answer(kept).alpha, before)


@pytest.mark.parametrize("unsure", [None, plane((70, 90, 50, 150))])
def test_a_rough_mask_is_refined_once_and_loses_its_islands(image, unsure):
    mask = plane(HEAD, BODY, (2, 5, 2, 5))
    after = cutout(image, None, guidance=Guidance(mask=mask, unsure=unsure)).alpha
    used = recipe("default")
    expected, _ = remove_islands(refine_rough(image, mask, None, unsure, used.detail), **used.part("islands"))
    assert torch.equal(after, expected) and float(after[..., :8, :8].max()) == 0
