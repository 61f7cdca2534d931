"""Windows of a picture: tiles, which are worked on one after the other, and the one around what counts.

A tile's tensors stay near the processor, and nothing of the picture's size need be held. On a CPU a tile is large
enough for its operations to cost more than starting them does, and for torch to share each out over its threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch

Window = tuple[int, int, int, int]  # top, bottom, left, right
CPU_TILE, DEVICE_TILE = 256, 2048  # pixels; multiples of unsure.CELL and of fill.FIRST


def tile_side(device: torch.device, step: int = 1) -> int:
    """The side of tiles on a device.

    Args:
        device: CPU or another.
        step: what it is a multiple of.

    Returns:
        Pixels.
    """
    return max((CPU_TILE if device.type == "cpu" else DEVICE_TILE) // step, 1) * step


def tiles(height: int, width: int, side: int) -> Iterator[Window]:
    """The picture cut into squares, smaller at the right and lower border.

    Args:
        height, width: of the picture.
        side: of the squares, in pixels.

    Returns:
        Windows, row after row.
    """
    for top in range(0, height, side):
        for left in range(0, width, side):
            yield top, min(top + side, height), left, min(left + side, width)


def even_tiles(height: int, width: int, sides: tuple[int, int], step: int = 1) -> Iterator[Window]:
    """The picture cut into tiles as even as they come, so that none is mostly its surroundings.

    Args:
        height, width: of the picture.
        sides: about how many rows and columns a tile has.
        step: what a tile's first row and column are multiples of.

    Returns:
        Windows, row after row.
    """
    down, across = (max(round(n / side), 1) for n, side in zip((height, width), sides))
    rows = [height * i // down // step * step for i in range(down)] + [height]
    columns = [width * i // across // step * step for i in range(across)] + [width]
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            if top < bottom and left < right:
                yield top, bottom, left, right


def bounds(mask: torch.Tensor, around: int = 0) -> Window | None:
    """The window of what is true.

    Args:
        mask: bool [H,W].
        around: so many pixels more on each side, as far as the picture goes.

    Returns:
        The smallest window, or None where nothing is true.
    """
    seen = mask.view(torch.uint8)  # any() of truth values takes twenty times as long
    rows, columns = seen.amax(1).nonzero()[:, 0], seen.amax(0).nonzero()[:, 0]
    if not len(rows):
        return None
    (top, bottom), (left, right) = ((int(at[0]) - around, int(at[-1]) + 1 + around) for at in (rows, columns))
    return max(top, 0), min(bottom, mask.shape[0]), max(left, 0), min(right, mask.shape[1])
