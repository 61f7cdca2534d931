"""Colours: as text, and as planes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import InputError

if TYPE_CHECKING:  # colours as text are read where torch is not wanted
    from torch import Tensor


def parse_colour(text: str) -> tuple[float, ...]:
    """A colour as text.

    Args:
        text: '#rrggbb' or '#rgb'; the # may be left out.

    Returns:
        Three values, 0..1.

    Raises:
        InputError: anything else.
    """
    found = re.fullmatch(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})", text.strip())
    if not found:
        raise InputError(f"a colour is written #rrggbb, for example #ffffff for white; got {text!r}")
    digits = found[1] if len(found[1]) == 6 else "".join(c + c for c in found[1])
    return tuple(int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))


def parse_rgba(text: str) -> tuple[tuple[float, ...], float]:
    """As parse_colour, and with an alpha, as colour pickers give it.

    Args:
        text: also '#rrggbbaa' or '#rgba'.

    Returns:
        The colour, three values 0..1, and its alpha 0..1.

    Raises:
        InputError: anything else.
    """
    digits = text.strip().removeprefix("#")
    if len(digits) not in (4, 8):
        return parse_colour(text), 1.0
    colour = parse_colour(digits[: len(digits) // 4 * 3])
    return colour, parse_colour(digits[-1] * 6 if len(digits) == 4 else digits[-2:] * 3)[0]


def colour_plane(colour: Sequence[float], like: Tensor) -> Tensor:
    """A picture of one colour.

    Args:
        colour: three values, 0..1.
        like: [B,C,H,W], whose size, dtype and device it gets.

    Returns:
        [1,3,H,W].

    Raises:
        InputError: not three values from 0 to 1.
    """
    if len(colour) != 3 or not all(0 <= c <= 1 for c in colour):
        raise InputError(f"a colour is three values from 0 to 1; got {tuple(colour)}")
    import torch

    plane = torch.tensor(list(colour), dtype=like.dtype, device=like.device).view(1, 3, 1, 1)
    return plane.expand(1, 3, *like.shape[-2:])
