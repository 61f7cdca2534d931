"""Blur fusion: foreground and background colours from box means.

Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021. With box means and b = 1 - alpha,

    F' = mean(alpha F) / mean(alpha),  B' = mean(b B) / mean(b)                   (1)
    F  = F' + alpha (I - alpha F' - b B')                                         (2)

first with F = B = I and a window of 90 pixels, then ("x2") with the F and B' of the first pass and a window of 6.

Here the first means are taken over blocks of 4x4 pixels, 23 blocks wide, and enlarged bilinearly: at that width nothing
is lost. The second window is 7 pixels wide, and the second pass done only around unsure pixels. Pictures larger than
1536 pixels keep the windows' share of the picture: there s = round(long side / 1024) pixels stand for one.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .blocks import block_means, enlarge_window
from .boxmean import box_mean
from .tiles import Window, tile_side, tiles
from .unsure import near_cells, spread

BLOCK = 4  # of the first pass, in pixels of a small picture
WIDE, NARROW = 11, 3  # radii: in blocks, in pixels of a small picture
TINY = 1e-6


def blur_fusion(image: Tensor, alpha: Tensor, cells: Tensor, put: Callable[[Window, Tensor], None]) -> None:
    """Foreground and background colours of the tiles that hold unsure pixels.

    image: [3,H,W]; alpha: [H,W] float32, 0..1; cells: unsure_cells(alpha); background is taken from near cells alone.
    Calls put((top, bottom, left, right), colours) as multilevel does: colours [6,h,w] float32 in [0,1], foreground
    then background.
    """
    height, width = alpha.shape
    near = near_cells(cells)
    fine = max(round(max(height, width) / 1024), 1)
    coarse = BLOCK * fine
    sums = torch.zeros(8, -(-height // coarse), -(-width // coarse), device=alpha.device)

    def read(window: Window) -> tuple[Tensor, Tensor, Tensor]:
        top, bottom, left, right = window
        a = alpha[top:bottom, left:right]
        return image[:, top:bottom, left:right].float(), a, (1 - a).mul_(spread(near, *window))

    cut = list(tiles(height, width, tile_side(alpha.device, coarse)))
    for window in cut:
        i, a, b = read(window)
        top, bottom, left, right = (-(-x // coarse) for x in window)
        sums[:, top:bottom, left:right] = block_means(_weighted(i, i, a, b), coarse)
    means = _fuse(sums, WIDE)
    for window in cut:
        if not bool(spread(cells, *window).any()):
            continue
        top, bottom, left, right = window
        outer = max(top - coarse, 0), min(bottom + coarse, height), max(left - coarse, 0), min(right + coarse, width)
        i, a, b = read(outer)
        first = enlarge_window(means, coarse, outer)
        part = _weighted(_apply(first[:3], first[3:], i, a), first[3:], a, b)
        second = _fuse(block_means(part, fine) if fine > 1 else part, NARROW)
        if fine > 1:
            second = enlarge_window(second, fine, (0, part.shape[1], 0, part.shape[2]))
        inner = slice(top - outer[0], bottom - outer[0]), slice(left - outer[2], right - outer[2])
        (fore, back), i, a = second[:, inner[0], inner[1]].split(3), i[:, inner[0], inner[1]], a[inner]
        put(window, torch.cat((_apply(fore, back, i, a), _apply(back, fore, i, 1 - a))))


def _weighted(fore: Tensor, back: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Colours times their weights, and the weights: [8,h,w]."""
    out = torch.empty(8, *a.shape, device=a.device)
    torch.mul(fore, a, out=out[:3])
    torch.mul(back, b, out=out[3:6])
    out[6], out[7] = a, b
    return out


def _fuse(sums: Tensor, radius: int) -> Tensor:
    """(1): box means of the weighted colours over box means of the weights. Returns [6,h,w]."""
    means = box_mean(sums[None], radius)[0]
    means[:3] /= means[6].clamp(min=TINY)
    means[3:6] /= means[7].clamp(min=TINY)
    return means[:6]


def _apply(own: Tensor, other: Tensor, image: Tensor, a: Tensor) -> Tensor:
    """(2), clamped to [0,1], of the side whose weight is a [h,w] and whose means are `own`. Colours [3,h,w]."""
    rest = (image - own * a).addcmul_(other, 1 - a, value=-1)
    return torch.addcmul(own, rest, a).clamp_(0, 1)
