"""The nodes around a diffusion model: shapes, polarity, batches, dtypes, and every error."""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core.errors import InputError

USUAL = {
    "crop": "picture",
    "margin": 0.25,
    "long_side": 0,
    "fill": "neutral",
    "edge_cells": "keep",
    "grow": 8,
    "feather": 0,
    "protect": 0.95,
    "multiple": "8",
    "latent_cell": "8",
    "follow": False,
}


def prepare(pack, image, mask, **changes):
    return pack.NuggyPrepareInpaint.execute(image, mask, **USUAL | changes).args


def paste(pack, stitch, painted):
    return pack.NuggyPasteBack.execute(stitch, painted).args


def split(pack, image, mask):
    return pack.NuggyForeground.execute(image, mask).args


def steady(pack, image, mask, frames="3", tolerance=0.06):
    return pack.NuggySteadyMask.execute(image, mask, frames, tolerance).args[0]


# --- foreground


def test_foreground_is_the_cores(pack, image, mask):
    from nuggy_nodes.core.foreground.split import layers

    soft = torch.nn.functional.avg_pool2d(mask[:, None], 5, 1, 2)
    front, behind, rgba = split(pack, image, soft[:, 0])
    expected = layers(image.movedim(-1, 1), soft)
    assert torch.equal(front.movedim(-1, 1), expected[0]) and torch.equal(behind.movedim(-1, 1), expected[1])
    assert torch.equal(rgba[..., :3], front) and torch.equal(rgba[..., 3], soft[:, 0])
    assert torch.equal(front[soft[:, 0] == 1], image[soft[:, 0] == 1])  # 1 is the subject
    assert torch.equal(behind[soft[:, 0] == 0], image[soft[:, 0] == 0])


def test_foreground_takes_other_sizes_and_batches(pack, image, mask):
    for got in split(pack, image, mask[:1, ::2, ::2]):
        assert got.shape[:3] == (2, 48, 64)
    assert len(split(pack, image[:1], mask)[0]) == 2


# --- prepare and paste back


def test_prepared_mask_is_one_on_the_background(pack, image, mask):
    prepared, repaint, stitch = prepare(pack, image, mask)
    assert prepared.shape == (2, 48, 64, 3) and repaint.shape == (2, 48, 64)
    assert repaint[0, 2, 60] == 1 and repaint[0, 24, 20] == 0 and repaint[mask == 1].max() == 0
    assert torch.all(prepared[0, 2, 60] == 0.5) and torch.equal(prepared[0, 24, 20], image[0, 24, 20])
    picture, background = paste(pack, stitch, 1 - prepared)
    assert picture.shape == background.shape == image.shape
    assert torch.equal(picture[mask == 1], image[mask == 1])
    assert (picture - image)[mask == 0].abs().mean() > 0.1


@pytest.mark.parametrize(
    ("changes", "shape"),
    [
        ({"long_side": 128}, (2, 96, 128)),
        ({"multiple": "64"}, (2, 64, 64)),
        ({"crop": "square", "long_side": 64}, (2, 64, 64)),
        ({"crop": "subject", "multiple": "16", "latent_cell": "16", "edge_cells": "repaint"}, (2, 48, 64)),
        ({"crop": "subject", "follow": True, "margin": 0.0}, (2, 32, 32)),
    ],
)
def test_working_sizes_and_back(pack, image, mask, changes, shape):
    prepared, repaint, stitch = prepare(pack, image, mask, **changes)
    assert repaint.shape == shape and prepared.shape == (*shape, 3)
    picture = paste(pack, stitch, torch.rand(prepared.shape))[0]
    assert picture.shape == image.shape and torch.equal(picture[mask == 1], image[mask == 1])


def test_half_precision_intermediates(pack, new, image, mask, state):
    state.intermediate_dtype = torch.float16 if new else torch.float32
    prepared, repaint, stitch = prepare(pack, image.half(), mask.half())
    made = [prepared, repaint, *paste(pack, stitch, prepared), *split(pack, image.half(), mask.half())]
    made.append(steady(pack, image.half(), mask.half()))
    assert all(x.dtype == state.intermediate_dtype for x in made)


def test_pictures_with_alpha_and_grey_ones(pack, image, mask):
    with_alpha = torch.cat((image, torch.zeros_like(image[..., :1])), -1)
    prepared, _, stitch = prepare(pack, with_alpha, mask)
    assert torch.equal(prepared, prepare(pack, image, mask)[0])
    assert paste(pack, stitch, with_alpha)[0].shape == image.shape
    assert prepare(pack, image[..., :1], mask)[0].shape == image.shape


def test_one_photograph_and_a_batch_of_paintings(pack, image, mask):
    _, _, stitch = prepare(pack, image[:1], mask[:1])
    assert len(paste(pack, stitch, torch.rand(4, 48, 64, 3))[0]) == 4
    assert prepare(pack, image[:1], mask)[0].shape[0] == 2


def test_progress_and_interrupt(pack, image, mask, state):
    import fake_comfy

    for attempt in (lambda: prepare(pack, image, mask), lambda: split(pack, image, mask),
                    lambda: steady(pack, image, mask)):  # fmt: skip
        state.progress.clear()
        attempt()
        assert state.progress == [(0, 2), (1, 2), (2, 2)]
    state.interrupt_after = 4
    with pytest.raises(fake_comfy.Interrupted):
        prepare(pack, image.repeat(4, 1, 1, 1), mask.repeat(4, 1, 1))


# --- steady masks


def test_steady_mask_is_the_cores(pack):
    from nuggy_nodes.core import steady_masks

    g = torch.Generator().manual_seed(0)
    image, mask = torch.rand(1, 48, 64, 3, generator=g).repeat(7, 1, 1, 1), torch.rand(7, 48, 64, generator=g)
    made = steady(pack, image, mask, "5")
    pairs = zip(image.movedim(-1, 1).split(1), mask[:, None].split(1))
    assert torch.equal(made, torch.cat(list(steady_masks(pairs, 5)))[:, 0])
    assert (made[1:] - made[:-1]).abs().mean() < 0.3 * (mask[1:] - mask[:-1]).abs().mean()
    assert steady(pack, image, mask[:, ::2, ::2]).shape == mask.shape


# --- what does not fit


def test_values_refused_before_the_run(pack):
    refused = [
        pack.NuggyPrepareInpaint.validate_inputs(crop="circle"),
        pack.NuggyPrepareInpaint.validate_inputs(fill="red"),
        pack.NuggyPrepareInpaint.validate_inputs(edge_cells="both"),
        pack.NuggyPrepareInpaint.validate_inputs(multiple="8", latent_cell="16"),
        pack.NuggySteadyMask.validate_inputs(frames="4"),
    ]
    assert all(isinstance(r, str) and "got" in r for r in refused), refused
    accepted = [
        pack.NuggyPrepareInpaint.validate_inputs(crop="square", fill="subject", multiple="64", latent_cell="16"),
        pack.NuggyPrepareInpaint.validate_inputs(multiple=None, latent_cell="64"),  # linked
        pack.NuggySteadyMask.validate_inputs(frames="5"),
    ]
    assert all(r is True for r in accepted)


def test_batches_and_sizes_that_do_not_fit(pack, image, mask):
    five, three = image[:1].expand(5, -1, -1, -1), mask[:1].expand(3, -1, -1)
    for attempt in (prepare, split):
        with pytest.raises(InputError, match="a batch of 5 and mask a batch of 3; give equal batches"):
            attempt(pack, five, three)
    with pytest.raises(InputError, match="image has 5 frames and mask 3; give a mask for every frame"):
        steady(pack, five, three)
    _, _, stitch = prepare(pack, image, mask)
    with pytest.raises(InputError, match="painted has a batch of 5 and the prepared picture a batch of 2"):
        paste(pack, stitch, five)
    with pytest.raises(InputError, match="painted is 64x24 and the prepared picture was 64x48"):
        paste(pack, stitch, image[:, ::2])
    with pytest.raises(InputError, match="connect its third output"):
        paste(pack, {"crop": 1}, image)


@pytest.mark.parametrize("spoil", [lambda x: x[:0], lambda x: x[0, 0], lambda x: x * float("nan")])
def test_pictures_that_are_none(pack, image, mask, spoil):
    for attempt in (prepare, split, steady):
        with pytest.raises(InputError, match="image"):
            attempt(pack, spoil(image), mask)
    with pytest.raises(InputError, match="painted"):
        paste(pack, prepare(pack, image, mask)[2], spoil(image))


@pytest.mark.parametrize("spoil", [lambda m: m[:0], lambda m: m[..., None, None], lambda m: m / 0])
def test_masks_that_are_none(pack, image, mask, spoil):
    for attempt in (prepare, split, steady):
        with pytest.raises(InputError, match="mask|MASK"):
            attempt(pack, image, spoil(mask))
