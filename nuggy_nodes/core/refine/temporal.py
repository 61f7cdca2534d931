"""Masks of a video that do not flicker where nothing moves, and do not smear where something does.

A mask flickers when it changes from frame to frame while the photograph does not. So each pixel takes the weighted
median (Gurwitz, "Weighted median algorithms for L1 approximation", BIT 1990) of the masks of the nearest frames, a
frame weighing as much as its picture equals the own one around that pixel,

    w_k = 4^-(d_k / tolerance)^2,    d_k^2 = mean over 3x3 pixels and three colours of (I_t - I_k)^2

and the own frame 1. Beyond the tolerance all four others together weigh less than the own frame and its value is taken
as it is, bit for bit: a strand that moves keeps its mask (a plain median deletes it, an average drags it along).

That steadies what stands still. Of what moves, the same is done along the motion, where one is given (motion.Motion):
the other frames' pictures and masks are carried to the own frame first, and d_k is the difference after that, so that
a motion that was estimated wrongly counts for nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..checks import check_alpha, check_image
from ..errors import InputError
from ..ops.box_filter import box_mean
from ..settings import FRAMES
from .motion import Motion

OWN = 1.001  # weight of the own frame: it wins a tie


def steady_masks(
    pairs: Iterable[tuple[Tensor, Tensor]], frames: int = 3, tolerance: float = 0.06, motion: Motion | None = None
) -> Iterator[Tensor]:
    """Steadied masks, one for each frame, in order.

    Args:
        pairs: (photograph [1,3,H,W], mask [1,1,H,W]), frame after frame; read as they are needed, at most `frames` are
            held at a time.
        frames: 3 or 5, the nearest ones count (at the ends of the video: the first or last ones).
        tolerance: root mean square difference of sRGB-encoded values, above 0, at which a frame weighs a quarter.
        motion: along which the other frames are carried to the own one; None: they are taken as they stand.

    Returns:
        Masks [1,1,H,W], in the dtype they came in.

    Raises:
        InputError: bad values, and frames that differ in size.
    """
    if frames not in FRAMES:
        raise InputError(f"frames must be 3 or 5; got {frames}")
    if not tolerance > 0:
        raise InputError(f"tolerance must be above 0; got {tolerance}")
    return _run(iter(pairs), frames, tolerance, motion)


@dataclass(frozen=True)
class _Frame:
    image: Tensor
    mask: Tensor
    small: Any = None  # as Motion compares it


def _run(
    pairs: Iterator[tuple[Tensor, Tensor]], frames: int, tolerance: float, motion: Motion | None
) -> Iterator[Tensor]:
    held: deque[_Frame] = deque(maxlen=frames)
    due = 0  # frames of `held` that have been answered
    for image, mask in pairs:
        check_image(image)
        check_alpha(mask, "mask")
        if image.shape[-2:] != mask.shape[-2:] or (held and mask.shape != held[-1].mask.shape):
            raise InputError(
                f"a frame of {tuple(image.shape)} has a mask of {tuple(mask.shape)}"
                + (f" after one of {tuple(held[-1].mask.shape)}" if held else "")
                + "; all pictures and masks of a video have one size"
            )
        if len(held) == frames:
            due -= 1
        held.append(_Frame(image.float(), mask, motion.small(image) if motion else None))
        while len(held) == frames and due <= frames // 2:
            yield _median(list(held), due, tolerance, motion)
            due += 1
    while due < len(held):
        yield _median(list(held), due, tolerance, motion)
        due += 1


def _median(held: list[_Frame], own: int, tolerance: float, motion: Motion | None) -> Tensor:
    """The weighted median of the masks, for the frame `own`."""
    here = held[own]
    masks, weights = [here.mask], [torch.full_like(here.image[:, :1], OWN)]
    for k, frame in enumerate(held):
        if k == own:
            continue
        image, mask = frame.image, frame.mask
        if motion:
            image, mask = motion.carried((image, mask), frame.small, here.small)
        square = (image - here.image).square_().mean(1, keepdim=True)
        weights.append(torch.exp2(box_mean(square, 1).mul_(-2 / tolerance**2)))
        masks.append(mask)
    stack = torch.stack(masks)
    differ = stack.amin(0) != stack.amax(0)  # few pixels: elsewhere there is nothing to choose
    values, order = stack[:, differ].sort(0)
    sums = torch.stack(weights)[:, differ].gather(0, order).cumsum_(0)
    at = (sums < sums[-1] / 2).sum(0, keepdim=True).clamp_(max=len(held) - 1)
    out = here.mask.clone()
    out[differ] = values.gather(0, at)[0]
    return out
