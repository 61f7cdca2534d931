"""A rough mask finds the photograph's edge, and stays where it is far from its own."""

from __future__ import annotations

import torch

from nuggy_nodes.core import Guidance, cutout
from nuggy_nodes.core.refine.rough import alignment, refine_rough
from tests.core.drawn_subject import TRUTH, plane, sad


def test_a_wobbly_mask_finds_the_photographs_edge(image):
    rough = plane((16, 84, 55, 146), (80, 155, 64, 137))
    after = cutout(image, None, guidance=Guidance(mask=rough)).alpha
    assert sad(after) < 0.75 * sad(rough)
    assert alignment(image, rough) < alignment(image, TRUTH)


def test_far_from_its_edge_a_rough_mask_stays(image):
    after = refine_rough(image, TRUTH, uncertainty=4.0)
    assert bool((after[..., 90:140, 70:130] == 1).all()) and bool((after[..., :, :50] == 0).all())


def test_what_is_all_but_sure_far_from_the_edge_stays_to_the_bit(image):
    mask = 0.005 + 0.985 * TRUTH
    after = refine_rough(image, mask, uncertainty=4.0)
    assert torch.equal(after[..., 90:140, 70:130], mask[..., 90:140, 70:130])
    assert torch.equal(after[..., :40], mask[..., :40]) and not torch.equal(after, mask)


def test_a_trimaps_grey_is_decided_by_the_colours_of_its_sides(image):
    inner = plane((30, 140, 70, 130))
    unsure = plane((10, 155, 50, 150)) - inner
    after = refine_rough(image, inner, unsure=unsure)
    assert sad(after) < 0.2 * sad(inner) and torch.equal(after[unsure == 0], inner[unsure == 0])


def test_the_learned_refinement_corrects_the_band_and_nothing_else(image):
    rough = plane((16, 84, 55, 146), (80, 155, 64, 137))
    plain, corrected = refine_rough(image, rough, 8.0), refine_rough(image, rough, 8.0, detail=0.75)
    assert not torch.equal(plain, corrected)
    assert torch.equal(plain[..., 50:130, 85:115], corrected[..., 50:130, 85:115])
    assert torch.equal(plain[..., :40], corrected[..., :40])
