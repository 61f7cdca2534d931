"""Whether there is arithmetic in 8 bits on this CPU, and of which kind: told by known answers."""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import nn

from .eight_bit_ops import BESIDE, NARROW, WIDE, Convolution


def works() -> str:
    """Whether torch's 8-bit convolutions are here and give known answers.

    Returns:
        "" where they do; else why not.
    """
    return arithmetic()[1]


@lru_cache(maxsize=1)
def arithmetic() -> tuple[int, str]:
    """How many steps two weights beside each other may have together on this processor, and why there is no arithmetic
    in 8 bits ("" where there is).

    Returns:
        WIDE or NARROW, and the reason.
    """
    try:
        with torch.inference_mode():
            for room in (WIDE, NARROW):
                if _known(room):
                    return room, ""
    except (RuntimeError, AttributeError, TypeError, NotImplementedError) as e:
        told = str(e).splitlines()[0][:100] if str(e) else type(e).__name__
        return WIDE, f"torch {torch.__version__} has no 8-bit convolutions here ({told})"
    return WIDE, "8-bit sums overflow on this processor"


def _known(room: int) -> bool:
    """Whether answers are right that would tell overflow: of rows in which every place has all the room there is, and
    of ones with a single weight a group, at any place of it."""
    channels = 4 * BESIDE
    digits = torch.arange(channels).view(-1, 1) // torch.tensor([1, BESIDE, BESIDE, 1]) % BESIDE
    single = F.one_hot(digits, BESIDE).flatten(1) * min(room, 127)  # [channels,channels]
    even = torch.full((channels, channels), min(room // 2, 127))
    x = torch.full((1, channels, 8, 8), 255, dtype=torch.uint8).contiguous(memory_format=torch.channels_last)
    one, right = torch.ones(channels), True
    with torch.device("meta"):  # the user's random numbers are not to be touched
        layer = nn.Conv2d(channels, channels, 3, padding=1)
    for weights in (single, even):
        # set, not moved: what moves a layer off "meta" imports a third of a second of torch
        layer.weight = nn.Parameter(weights.float()[..., None, None].expand(-1, -1, 3, 3).contiguous())
        layer.bias = nn.Parameter(torch.full((channels,), 3.0))
        row = int(weights[0].sum())
        large = torch.full((channels,), row * 9.0)
        sums = Convolution(layer, one, None, room=room)(x)[0, :, 4, 4]
        rounded = Convolution(layer, one, large, room=room)
        whole = rounded(x)[0, :, 4, 4]
        added = rounded.added_to(torch.full_like(x, 1), x)[0, :, 0, 0]
        wanted = (255 * row * 9 + 3.0, 255, round(255 * 4 / 9) + 1)
        right &= all(bool((got == want).all()) for got, want in zip((sums, whole, added), wanted))
    return right
