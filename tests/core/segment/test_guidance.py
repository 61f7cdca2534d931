"""Guidance: what it does to a drawn photograph whose truth is known, and what it refuses."""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core import Guidance, InputError, answer, cutout, look_once
from nuggy_nodes.core.guided_answer import Seen
from nuggy_nodes.core.recipes import recipe
from nuggy_nodes.core.refine.rough import alignment, refine_rough
from nuggy_nodes.core.segment.guidance import marks
from nuggy_nodes.core.segment.strokes import _against
from nuggy_nodes.core.work import Work

H, W = 160, 200


def plane(*boxes):
    """1 in boxes (top, bottom, left, right)."""
    out = torch.zeros(1, 1, H, W)
    for top, bottom, left, right in boxes:
        out[..., top:bottom, left:right] = 1
    return out


HEAD, BODY = (20, 80, 60, 140), (80, 150, 60, 140)
TRUTH = plane(HEAD, BODY)


@pytest.fixture(scope="module")
def image():
    """A grey ground, an orange head, a blue body; a little noise."""
    noise = 0.02 * torch.randn(1, 3, H, W, generator=torch.Generator().manual_seed(1))
    colours = [torch.tensor(c).view(1, 3, 1, 1) for c in ((0.5, 0.5, 0.5), (0.9, 0.5, 0.1), (0.1, 0.2, 0.8))]
    picture = colours[0] + plane(HEAD) * (colours[1] - colours[0]) + plane(BODY) * (colours[2] - colours[0])
    return (picture + noise).clamp(0, 1)


def seen(image, alpha):
    return Seen(image, alpha, [], recipe("default"), image, None, Work())


def sad(alpha, truth=TRUTH):
    return float((alpha - truth).abs().sum())


def test_a_stroke_over_a_missed_body_brings_the_whole_of_it(image):
    before = plane(HEAD)
    stroke = plane((110, 116, 70, 130))
    after = answer(seen(image, before), Guidance(keep=stroke)).alpha
    assert sad(after) < 0.1 * sad(before)
    assert torch.equal(after[..., :, :40], before[..., :, :40]), "the ground is not like the body"


def test_a_stroke_over_what_is_too_much_takes_it(image):
    before, truth = plane(HEAD, BODY), plane(HEAD)
    after = answer(seen(image, before), Guidance(drop=plane((110, 116, 70, 130)))).alpha
    assert sad(after, truth) < 0.1 * sad(before, truth)


def test_a_stroke_that_says_nothing_new_changes_nothing(image):
    before = TRUTH.clone()
    said = Guidance(keep=plane((40, 44, 80, 120)), drop=plane((5, 9, 5, 50)))
    assert torch.equal(answer(seen(image, before), said).alpha, before)


def test_a_stroke_is_obeyed_under_itself_whatever_it_lies_on(image):
    g = torch.Generator().manual_seed(3)
    keep = (torch.rand(1, 1, H, W, generator=g) > 0.995).float()
    drop = (torch.rand(1, 1, H, W, generator=g) > 0.995).float() * (1 - keep)
    after = answer(seen(image, TRUTH), Guidance(keep=keep, drop=drop)).alpha
    assert bool((after[keep > 0] == 1).all()) and bool((after[drop > 0] == 0).all())
    assert float(after.min()) >= 0 and float(after.max()) <= 1


def test_a_strokes_reach_ends_at_an_edge_of_the_photograph(image):
    picture = torch.tensor([0.1, 0.2, 0.8]).view(3, 1, 1).repeat(1, H, W)
    picture[:, :, 100:] = torch.tensor([0.9, 0.5, 0.1]).view(3, 1, 1)
    told, reach = _against(picture, plane((60, 100, 80, 84))[0, 0] > 0, torch.zeros(H, W), 1.0)
    assert int(told.sum()) == 160
    assert float(reach[80, 56]) > 0.5, "24 pixels away, nothing between"
    assert float(reach[80, 108]) < 0.6 * float(reach[80, 56]), "24 pixels away, beyond the edge"


def test_a_batch_is_its_photographs_one_by_one(image):
    images, before = torch.cat([image, image.flip(-1)]), torch.cat([plane(HEAD), plane(HEAD, BODY)])
    stroke = plane((110, 116, 70, 130))
    both = answer(seen(images, before), Guidance(keep=stroke)).alpha
    each = [answer(seen(i, b), Guidance(keep=stroke)).alpha for i, b in zip(images.split(1), before.split(1))]
    assert torch.equal(both, torch.cat(each))


def test_a_wobbly_mask_finds_the_photographs_edge(image):
    rough = plane((16, 84, 55, 146), (80, 155, 64, 137))
    after = cutout(image, None, guidance=Guidance(mask=rough)).alpha
    assert sad(after) < 0.75 * sad(rough)
    assert alignment(image, rough) < alignment(image, TRUTH)


def test_far_from_its_edge_a_rough_mask_stays(image):
    after = refine_rough(image, TRUTH, uncertainty=4.0)
    assert bool((after[..., 90:140, 70:130] == 1).all()) and bool((after[..., :, :50] == 0).all())


def test_a_trimap_is_mask_and_unsure(image):
    unsure = plane((10, 155, 50, 150)) - plane((30, 140, 70, 130))
    after = cutout(image, None, guidance=Guidance(mask=plane((30, 140, 70, 130)), unsure=unsure)).alpha
    assert sad(after) < 0.2 * sad(plane((30, 140, 70, 130)))
    sure = unsure == 0
    assert torch.equal(after[sure], plane((30, 140, 70, 130))[sure])


def test_a_mask_of_ones_keeps_everything(image):
    assert bool((cutout(image, None, guidance=Guidance(mask=torch.ones(1, 1, H, W))).alpha == 1).all())


def test_outside_boxes_nothing_stays(image):
    after = answer(seen(image, TRUTH), Guidance(boxes=[(60, 20, 80, 60)])).alpha
    assert torch.equal(after, plane(HEAD))


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


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_marks_of_any_float(image, dtype):
    stroke = plane((110, 116, 70, 130))
    want = answer(seen(image, plane(HEAD)), Guidance(keep=stroke)).alpha
    assert torch.equal(answer(seen(image, plane(HEAD)), Guidance(keep=stroke.to(dtype))).alpha, want)


def test_points_are_discs():
    drawn = marks([(50, 40)], H, W, 5)
    ys, xs = drawn[0, 0].nonzero().T
    assert (int(xs.float().mean()), int(ys.float().mean())) == (50, 40) and 15 <= len(xs) <= 25


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Guidance(keep=plane((0, 9, 0, 9)), drop=plane((5, 20, 5, 20))), "both mark 16 pixels"),
        (Guidance(keep=torch.ones(1, 1, H, W + 40)), "smaller with the same proportions"),
        (Guidance(keep=torch.ones(1, 1, H // 2, W)), "same proportions"),
        (Guidance(keep=torch.ones(3, 1, H, W)), "batch of 3"),
        (Guidance(mask=torch.ones(H, W)), r"shape \(160, 200\)"),
        (Guidance(mask=torch.ones(1, 1, H, W, dtype=torch.uint8)), "uint8"),
        (Guidance(mask=torch.full((1, 1, H, W), 255.0)), "outside 0 to 1"),
        (Guidance(mask=torch.full((1, 1, H, W), float("nan"))), "NaN"),
        (Guidance(mask=torch.zeros(1, 1, H, W)), "missing or empty"),
        (Guidance(mask=TRUTH, uncertainty=0.0), "uncertainty"),
        (Guidance(mask=TRUTH, boxes=[(0, 0, W + 1, 5)]), "lies outside the photograph"),
        (Guidance(mask=TRUTH, boxes=[(0, 0, 0, 5)]), "at least one pixel"),
        (Guidance(mask=TRUTH, boxes=[(0, 0, 5)]), r"\(x, y, width, height\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(image, said, words):
    with pytest.raises(InputError, match=words):
        cutout(image, None, guidance=said)


def test_a_point_outside_is_refused():
    with pytest.raises(InputError, match="outside the photograph of 200x160"):
        marks([(200, 10)], H, W)
