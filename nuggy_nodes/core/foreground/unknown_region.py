"""Where an alpha is unsure, and the neighbourhood that may speak about the colours there.

Only pixels with HIDDEN <= alpha < OPAQUE, which eight bits can tell from 0 and 1, are *unsure*: they mix two colours.
The picture is divided into cells of 8x8 pixels; a cell is *near* if
it, or one of its eight neighbours, holds an unsure pixel. Near cells are the evidence of colour estimation: every pixel
closer than 9 px to an unsure one is near, no pixel farther than `REACH` px (rows and columns counted apart) is.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

HIDDEN = 1 / 255  # what is below may be stored as 0: not every program that writes eight bits rounds, some cut off
OPAQUE = 1 - 0.5 / 255  # what eight bits, rounded, store as 1
CELL = 8
REACH = 2 * CELL - 1  # pixels


def unsure(alpha: Tensor) -> Tensor:
    """Where an alpha is neither 0 nor 1, in eight bits.

    Args:
        alpha: any shape, 0..1.

    Returns:
        bool, the same shape.
    """
    return (alpha >= HIDDEN) & (alpha < OPAQUE)


def unsure_cells(alpha: Tensor) -> Tensor:
    """The cells that hold an unsure pixel.

    Args:
        alpha: [H,W], 0..1.

    Returns:
        bool [ceil(H/8), ceil(W/8)].
    """
    mixed = unsure(alpha)
    h, w = mixed.shape
    if h % CELL or w % CELL:
        mixed = F.pad(mixed, (0, -w % CELL, 0, -h % CELL))
    rows = mixed[0::CELL] | mixed[1::CELL]
    for i in range(2, CELL):
        rows |= mixed[i::CELL]
    cells = rows[:, 0::CELL] | rows[:, 1::CELL]
    for i in range(2, CELL):
        cells |= rows[:, i::CELL]
    return cells


def near_cells(cells: Tensor) -> Tensor:
    """The given cells and their eight neighbours.

    Args:
        cells: bool [h,w].

    Returns:
        bool [h,w].
    """
    return F.max_pool2d(cells.to(torch.float32)[None, None], 3, 1, 1)[0, 0] > 0


def spread(cells: Tensor, top: int, bottom: int, left: int, right: int) -> Tensor:
    """Cells as pixels, in a window.

    Args:
        cells: bool [h,w].
        top, bottom, left, right: the window, in pixels.

    Returns:
        bool [bottom-top, right-left].
    """
    y0, x0 = top // CELL, left // CELL
    part = cells[y0 : -(-bottom // CELL), x0 : -(-right // CELL)]
    wide = part[:, None, :, None].expand(-1, CELL, -1, CELL).reshape(part.shape[0] * CELL, part.shape[1] * CELL)
    return wide[top - y0 * CELL : bottom - y0 * CELL, left - x0 * CELL : right - x0 * CELL]
