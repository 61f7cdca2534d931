"""A rough mask finds the photograph's edge, and stays where it is far from its own."""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core import Guidance, cutout
from nuggy_nodes.core.refine import rough as rough_masks
from nuggy_nodes.core.refine.guided_filter import guided_filter
from nuggy_nodes.core.refine.levels import levels
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


@pytest.mark.parametrize("narrow", [False, True])
def test_what_is_far_from_the_band_has_no_say(narrow):
    """Against the filter on the whole photograph, pass by pass."""
    gen = torch.Generator().manual_seed(2)
    image, alpha = torch.rand(1, 3, 90, 140, generator=gen), torch.rand(1, 1, 90, 140, generator=gen)
    for corner in ((0, 12, 0, 20), (40, 60, 70, 75), (80, 90, 120, 140)):
        band = torch.zeros(1, 1, 90, 140, dtype=torch.bool)
        band[..., slice(*corner[:2]), slice(*corner[2:])] = True
        expected, black = alpha, rough_masks.FINE if narrow else rough_masks.COARSE
        for shrink in rough_masks.SHRINKS[:1] if narrow else rough_masks.SHRINKS:
            found = guided_filter(image, expected, max(round(8 * shrink), 1), rough_masks.EPSILON[narrow]).clamp(0, 1)
            expected = torch.where(band, levels(found, black, 1 - black), expected)
        got = rough_masks.passes(image, alpha, band, 8, narrow)
        torch.testing.assert_close(got, expected, rtol=0, atol=2e-4)
        assert torch.equal(got[~band], alpha[~band])
    assert torch.equal(rough_masks.passes(image, alpha, torch.zeros_like(band), 8, narrow), alpha)
