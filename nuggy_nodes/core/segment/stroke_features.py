"""What the network that spreads strokes is shown, on a small grid: the photograph's colours, the mask, and the strokes
with how far each reaches.

A stroke tells more than its pixels: it is about half as long as what it means. So besides where the strokes lie and how
near they are, the network sees each one's nearness in units of its own length.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

CHANNELS = 10
SHORTEST = 0.02  # of the longer side: a point reaches as far as a stroke of this length
NEAR = 0.1  # of the longer side: a distance in which nearness falls to 1/e

Stroke = tuple[bool, Tensor]  # whether it keeps, and its cells, bool [h,w]


def features(image: Tensor, mask: Tensor, strokes: Sequence[Stroke]) -> Tensor:
    """The features of one photograph.

    Args:
        image: [3,h,w], 0..1, on the grid.
        mask: [h,w], 0..1.
        strokes: each connected one.

    Returns:
        [1,CHANNELS,h,w]: brightness and two opponent colours; the mask, -1..1; strokes that keep and that drop, 0 or 1;
        their nearness in units of each one's length, and in units of the grid.
    """
    planes = torch.zeros(6, *mask.shape)
    side = max(mask.shape)
    for keeps, cells in strokes:
        own = planes[0 if keeps else 1 :: 2]
        rows, columns = cells.nonzero().T
        extent = torch.stack([rows.amax() - rows.amin() + 1, columns.amax() - columns.amin() + 1]).float()
        away = distance(cells)
        length = max(float(extent.norm()), SHORTEST * side)
        found = torch.stack((cells.float(), torch.exp(-(away / length).square() / 2), torch.exp(-away / (NEAR * side))))
        torch.maximum(own, found, out=own)
    return torch.cat((colours(image), mask[None] * 2 - 1, planes))[None]


def colours(image: Tensor) -> Tensor:
    """Brightness and two opponent colours.

    Args:
        image: [3,h,w], 0..1.

    Returns:
        [3,h,w], about -1..1 and -3..3.
    """
    red, green, blue = image
    return torch.stack((2.1 * (image.mean(0) - 0.5), 3 * (red - green), 2 * ((red + green) / 2 - blue)))


def distance(cells: Tensor) -> Tensor:
    """How far each cell is from the nearest marked one.

    Exactly, along rows first, then over columns (Felzenszwalb and Huttenlocher, "Distance Transforms of Sampled
    Functions", 2012, equation 1, taken over all rows at once).

    Args:
        cells: bool [h,w].

    Returns:
        [h,w] in cells; infinite where none is marked.
    """
    height, width = cells.shape
    x, y = torch.arange(width).float(), torch.arange(height).float()
    across = (x[:, None] - x).square()[None].masked_fill(~cells[:, None, :], torch.inf).amin(2)
    marked = cells.any(1).nonzero()[:, 0]
    if not len(marked):
        return torch.full(cells.shape, torch.inf)
    down = (y[:, None] - y[marked]).square()
    return torch.stack([(down[:, i, None] + across[row]) for i, row in enumerate(marked.tolist())]).amin(0).sqrt()
