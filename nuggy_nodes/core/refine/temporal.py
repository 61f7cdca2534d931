"""Masks of a video that do not flicker where nothing moves, and do not smear where something does.

A mask flickers when it changes from frame to frame while the photograph does not. So each pixel takes the weighted
median (Gurwitz, "Weighted median algorithms for L1 approximation", BIT 1990) of the masks of the nearest frames, a
frame weighing as much as its picture equals the own one around that pixel,

    w_k = 4^-(d_k / tolerance)^2,    d_k^2 = mean over 3x3 pixels and three colours of (I_t - I_k)^2

and the own frame 1. Beyond the tolerance all four others together weigh less than the own frame and its value is taken
as it is, bit for bit: a strand that moves keeps its mask (a plain median deletes it, an average drags it along). No
motion is estimated, so the mask of what moves is not steadied either.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from ..checks import check_alpha, check_image
from ..errors import InputError
from ..ops.box_filter import box_mean

FRAMES = (3, 5)
OWN = 1.001  # weight of the own frame: it wins a tie


def steady_masks(pairs: Iterable[tuple[Tensor, Tensor]], frames: int = 3, tolerance: float = 0.06) -> Iterator[Tensor]:
    """Steadied masks, one for each frame, in order.

    Args:
        pairs: (photograph [1,3,H,W], mask [1,1,H,W]), frame after frame; read as they are needed, at most `frames` are
            held at a time.
        frames: 3 or 5, the nearest ones count (at the ends of the video: the first or last ones).
        tolerance: root mean square difference of sRGB-encoded values, above 0, at which a frame weighs a quarter.

    Returns:
        Masks [1,1,H,W], in the dtype they came in.

    Raises:
        InputError: bad values, and frames that differ in size.
    """
    if frames not in FRAMES:
        raise InputError(f"frames must be 3 or 5; got {frames}")
    if not tolerance > 0:
        raise InputError(f"tolerance must be above 0; got {tolerance}")
    return _run(iter(pairs), frames, tolerance)


def _run(pairs: Iterator[tuple[Tensor, Tensor]], frames: int, tolerance: float) -> Iterator[Tensor]:
    held: deque[tuple[Tensor, Tensor]] = deque(maxlen=frames)
    due = 0  # frames of `held` that have been answered
    for image, mask in pairs:
        check_image(image)
        check_alpha(mask, "mask")
        if image.shape[-2:] != mask.shape[-2:] or (held and mask.shape != held[-1][1].shape):
            raise InputError(
                f"a frame of {tuple(image.shape)} has a mask of {tuple(mask.shape)}"
                + (f" after one of {tuple(held[-1][1].shape)}" if held else "")
                + "; all pictures and masks of a video have one size"
            )
        if len(held) == frames:
            due -= 1
        held.append((image.float(), mask))
        while len(held) == frames and due <= frames // 2:
            yield _median(list(held), due, tolerance)
            due += 1
    while due < len(held):
        yield _median(list(held), due, tolerance)
        due += 1


def _median(held: list[tuple[Tensor, Tensor]], own: int, tolerance: float) -> Tensor:
    """The weighted median of the masks, for the frame `own`."""
    weights = []
    for k, (image, _) in enumerate(held):
        if k == own:
            weights.append(torch.full_like(image[:, :1], OWN))
        else:
            square = (image - held[own][0]).square_().mean(1, keepdim=True)
            weights.append(torch.exp2(box_mean(square, 1).mul_(-2 / tolerance**2)))
    masks, order = torch.stack([m for _, m in held]).sort(0)
    sums = torch.stack(weights).gather(0, order).cumsum_(0)
    at = (sums < sums[-1] / 2).sum(0, keepdim=True).clamp_(max=len(held) - 1)
    return masks.gather(0, at)[0]
