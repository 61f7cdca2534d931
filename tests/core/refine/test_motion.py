"""Motion between frames, against shifts that are known, and masks steadied along it."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from nuggy_nodes.core import steady_masks
from nuggy_nodes.core.errors import InputError
from nuggy_nodes.core.refine import motion
from nuggy_nodes.core.refine.motion import Motion

HEIGHT, WIDTH, STEP = 120, 160, 4


def ground(seed: int = 0) -> torch.Tensor:
    """[1,3,120,400]: structure of some pixels' size."""
    rough = torch.rand(1, 3, 16, 50, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(rough, (HEIGHT, 400), mode="bicubic").clamp(0, 1)


def panned(count: int) -> list[torch.Tensor]:
    """Frames of a camera that turns: all moves to the left by STEP pixels a frame."""
    whole = ground()
    return [whole[..., STEP * i : STEP * i + WIDTH].contiguous() for i in range(count)]


def test_what_is_carried_lies_where_it_lies_in_the_other_frame():
    a, b = panned(2)
    mark = torch.linspace(0, 1, WIDTH).expand(1, 1, HEIGHT, WIDTH).contiguous()
    found = Motion()
    picture, moved = found.carried((b, mark), found.small(b), found.small(a))
    inner = (..., slice(8, -8), slice(16, -16))
    assert (picture - a)[inner].abs().mean() < 0.02 < (b - a)[inner].abs().mean() / 4
    # a's pixel x lies at x - STEP in b
    assert (moved - (mark - STEP / (WIDTH - 1)))[inner].abs().mean() < 0.3 / WIDTH
    assert picture.shape == b.shape and moved.dtype == mark.dtype


def test_a_frame_that_stands_still_is_carried_nowhere():
    a = panned(1)[0]
    found = Motion()
    (same,) = found.carried((a,), found.small(a), found.small(a))
    assert (same - a).abs().max() < 1e-3


def test_a_mask_that_moves_is_steadied_along_the_motion_alone():
    """A disc moves with the picture; in one frame its mask is lost by half."""
    images = panned(7)
    y, x = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    truth = [(((y - 60) ** 2 + (x - 90 + STEP * i) ** 2) < 30**2).float()[None, None] for i in range(7)]
    given = [m.clone() for m in truth]
    given[3][..., :60, :] = 0
    lost = float((given[3] - truth[3]).abs().mean())

    def wrong(how: Motion | None) -> float:
        made = list(steady_masks(zip(images, given), 5, motion=how))
        assert len(made) == 7
        return float((made[3] - truth[3]).abs().mean())

    assert wrong(None) > 0.8 * lost and wrong(Motion()) < 0.25 * lost


def test_a_wrong_motion_counts_for_nothing():
    """Frames that have nothing to do with each other keep their masks to the bit."""
    images = [ground(i)[..., :WIDTH].contiguous() for i in range(5)]
    masks = [torch.rand(1, 1, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(i)) for i in range(5)]
    made = list(steady_masks(zip(images, masks), 5, tolerance=0.005, motion=Motion()))
    kept = [float((a == b).float().mean()) for a, b in zip(made, masks)]
    assert min(kept) > 0.95, kept


def test_without_opencv_it_is_said(monkeypatch):
    monkeypatch.setattr(motion, "opencv", lambda: None)
    assert not motion.found()
    with pytest.raises(InputError, match="OpenCV"):
        Motion()
