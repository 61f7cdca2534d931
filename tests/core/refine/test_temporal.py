"""A synthetic clip with exact alpha: flicker goes where the picture stands still, strands that move stay themselves."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import torch

from nuggy_nodes.core import steady_masks
from nuggy_nodes.core.errors import InputError

FRAMES, HEIGHT, WIDTH = 14, 96, 128


def clip(noise=0.01, flicker=0.12, seed=0):
    """A still disc with a soft edge and a thin strand that moves 2 px a frame, over a still, structured background:
    photographs with noise, exact alphas, and alphas that flicker by a random amount and drop out in blocks."""
    g = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(float(HEIGHT)), torch.arange(float(WIDTH)), indexing="ij")
    back = 0.35 + 0.1 * torch.stack([torch.sin(x / 7), torch.cos(y / 9), torch.sin((x - y) / 8)])
    disc = ((22 - ((y - 60) ** 2 + (x - 40) ** 2).sqrt()) / 8 + 0.5).clamp(0, 1)
    images, truth, given, strands = [], [], [], []
    for t in range(FRAMES):
        # covers of the pixels by a strand 1.4 px wide that slants and moves, exact along the rows
        middle = 40 + 2.0 * t + 0.3 * (HEIGHT - y)
        strand = (torch.minimum(x + 0.5, middle + 0.7) - torch.maximum(x - 0.5, middle - 0.7)).clamp(0, 1) * (y < 40)
        alpha = torch.maximum(disc, strand)
        image = alpha * 0.9 + (1 - alpha) * back + noise * torch.randn(3, HEIGHT, WIDTH, generator=g)
        soft = (alpha > 0) & (alpha < 1)
        bad = alpha + flicker * torch.randn(1, generator=g) * soft + 0.03 * torch.randn(alpha.shape, generator=g) * soft
        if t % 3 == 1:  # a block of the still edge is lost in one frame
            top = 45 + 5 * (t % 4)
            bad[top : top + 8, 16:30] *= 0.3
        images.append(image.clamp(0, 1))
        truth.append(alpha)
        given.append(bad.clamp(0, 1))
        strands.append(strand)
    return torch.stack(images), torch.stack(truth)[:, None], torch.stack(given)[:, None], torch.stack(strands)[:, None]


def steady(images, masks, **settings):
    return torch.cat(list(steady_masks(zip(images.split(1), masks.split(1)), **settings)))


def flicker(masks, where):
    """Mean change from frame to frame where nothing changes in truth."""
    return float((masks[1:] - masks[:-1]).abs()[:, :, where].mean())


def plain_median(masks, frames):
    r = frames // 2
    padded = torch.cat([masks[:1]] * r + [masks] + [masks[-1:]] * r)
    return torch.stack([padded[i : i + len(masks)] for i in range(frames)]).median(0)[0]


def running_mean(masks, keep=0.5):
    out = [masks[0]]
    for m in masks[1:]:
        out.append(keep * out[-1] + (1 - keep) * m)
    return torch.stack(out)


@pytest.mark.parametrize(("frames", "share"), [(3, 0.4), (5, 0.15)])
def test_flicker_falls_and_moving_strands_are_not_smeared(frames, share):
    images, truth, given, strands = clip()
    made = steady(images, given, frames=frames)
    touched = strands.amax(0)[0] > 0
    still = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    still[45:75] = (truth[0, 0, 45:75] > 0) & (truth[0, 0, 45:75] < 1)
    still &= ~torch.nn.functional.max_pool2d(touched.float()[None, None], 5, 1, 2)[0, 0].bool()
    assert still.sum() > 300
    before, after = flicker(given, still), flicker(made, still)
    assert after < share * before, (before, after)
    assert (made - truth)[..., still].abs().mean() < 0.75 * (given - truth)[..., still].abs().mean()

    path = touched & (torch.arange(HEIGHT)[:, None] < 36)  # where a strand is in some frame
    error = (made - truth)[..., path].abs().mean()
    own = (given - truth)[..., path].abs().mean()
    assert error < 1.05 * own, (error, own)
    on = strands > 0.8  # the middle of the strand, in its own frame
    assert (given - made)[on & path].clamp(min=0).mean() < 0.01
    # what others do there: a plain median deletes the strand, a running mean drags it along
    assert (plain_median(given, frames) - truth)[..., path].abs().mean() > 3 * error
    assert (running_mean(given) - truth)[..., path].abs().mean() > 3 * error


def test_a_picture_that_changes_keeps_its_masks_bit_for_bit():
    g = torch.Generator().manual_seed(1)
    images = torch.linspace(0, 1, 6).view(6, 1, 1, 1).expand(6, 3, 20, 30)
    masks = torch.rand(6, 1, 20, 30, generator=g)
    for frames in (3, 5):
        assert torch.equal(steady(images, masks, frames=frames), masks)


@pytest.mark.parametrize("frames", [3, 5])
@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 9])
def test_a_still_picture_gives_the_plain_median(frames, length):
    """Equal weights: NumPy's median of the nearest frames; of an even number, the own one in a tie."""
    masks = torch.rand(length, 1, 9, 11, generator=torch.Generator().manual_seed(2))
    made = steady(torch.full((length, 3, 9, 11), 0.4), masks, frames=frames)
    assert made.shape == masks.shape
    for t in range(length):
        first = min(max(t - frames // 2, 0), max(length - frames, 0))
        near = masks[first : first + frames].numpy()
        if len(near) % 2:
            assert np.array_equal(made[t].numpy(), np.median(near, 0))
        else:
            low, high = np.sort(near, 0)[len(near) // 2 - 1 : len(near) // 2 + 1]
            assert np.array_equal(made[t].numpy(), np.clip(masks[t].numpy(), low, high))


@pytest.mark.slow
def test_only_a_few_frames_are_held():
    """Constant memory: of a long video no more pictures are alive than the window is wide (and one being read)."""
    alive: list[weakref.ref] = []
    most = 0

    def frames():
        for _ in range(30):
            picture, mask = torch.rand(1, 3, 16, 16), torch.rand(1, 1, 16, 16)
            alive.append(weakref.ref(picture))
            yield picture, mask
            del picture, mask

    count = 0
    for _ in steady_masks(frames(), frames=5):
        gc.collect()
        most, count = max(most, sum(r() is not None for r in alive)), count + 1
    assert count == 30 and most <= 6


def test_half_precision_keeps_its_dtype():
    images, _, given, _ = clip()
    made = steady(images.half(), given.half())
    assert made.dtype == torch.float16 and (made.float() - steady(images, given)).abs().mean() < 2e-3


@pytest.mark.parametrize(("wrong", "sentence"), [({"frames": 4}, "3 or 5; got 4"), ({"tolerance": 0}, "above 0")])
def test_refused(wrong, sentence):
    with pytest.raises(InputError, match=sentence):
        steady_masks([], **wrong)


def test_sizes_that_differ():
    picture, mask = torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8)
    with pytest.raises(InputError, match="one size"):
        list(steady_masks([(picture, mask[..., 1:])]))
    with pytest.raises(InputError, match="one size"):
        list(steady_masks([(picture, mask), (picture[..., 1:], mask[..., 1:])]))


@pytest.mark.parametrize(("share", "kept"), [(0.6, False), (0.68, False), (0.73, True), (0.9, True)])
def test_two_frames_outweigh_one_up_to_a_difference_of_seven_tenths_of_the_tolerance(share, kept):
    """Twice 4^-x reaches 1 at x = 1/2, a difference of 0.707 of the tolerance."""
    images = torch.full((3, 3, 8, 8), 0.5)
    images[1] += share * 0.1
    masks = torch.ones(3, 1, 8, 8)
    masks[1] = 0
    found = list(steady_masks(zip(images.split(1), masks.split(1)), frames=3, tolerance=0.1))
    assert float(found[1].max()) == float(found[1].min()) == (0 if kept else 1)
