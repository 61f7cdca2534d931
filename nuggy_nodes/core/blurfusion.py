"""Blur fusion: the fast way to foreground and background colours.

Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021. With box means and b = 1 - alpha,

    F' = mean(alpha F) / mean(alpha),  B' = mean(b B) / mean(b)                   (1)
    F  = F' + alpha (I - alpha F' - b B')                                         (2)

first with F = B = I and a window of 90 pixels, then ("x2") with the F and B' of the first pass and a window of 6. The
windows here are 91 and 7 wide (radius 45 and 3), on pictures of up to 1536 pixels. Larger pictures keep the windows'
share of the picture: both passes' means are taken over blocks of s x s pixels, s = round(long side / 1024), and
enlarged bilinearly; (2) is always applied at full size.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from .blocks import enlarge_window
from .boxmean import box_mean
from .share import Each, Window
from .unsure import near_cells, spread

WIDE, NARROW = 45, 3  # radii in blocks
STRIP = 1 << 20  # pixels held at a time
TINY = 1e-6


def blur_fusion(image: Tensor, alpha: Tensor, cells: Tensor, put: Callable[[Window, Tensor], None], each: Each) -> None:
    """Foreground and background colours, in strips of rows, of the strips that hold unsure pixels.

    image: [3,H,W]; alpha: [H,W] float32, 0..1; cells: unsure_cells(alpha); background is taken from near cells alone.
    Calls put((top, bottom, left, right), colours): colours [6,h,w] float32 in [0,1], foreground then background.
    `each` is multilevel's and of no use here.
    """
    height, width = alpha.shape
    near = near_cells(cells)
    block = max(round(max(height, width) / 1024), 1)
    rows = max(STRIP // width // block, 1) * block
    strips = [(top, min(top + rows, height)) for top in range(0, height, rows)]

    def read(top: int, bottom: int) -> tuple[Tensor, Tensor, Tensor]:
        a = alpha[top:bottom]
        return image[:, top:bottom].float(), a, (1 - a) * spread(near, top, bottom, 0, width)

    sums = []
    for top, bottom in strips:
        i, a, b = read(top, bottom)
        sums.append(_blocks(torch.cat((i * a, i * b, a[None], b[None])), block))
    first = torch.cat(sums, 1)
    weights = first[6:]
    means = _fuse(first[:3], first[3:6], weights, WIDE)

    sums = []
    for top, bottom in strips:
        i, a, _ = read(top, bottom)
        sums.append(_blocks(_apply(_enlarge(means, top, bottom, width, block), i, a)[:3] * a, block))
    means = _fuse(torch.cat(sums, 1), means[3:] * weights[1], weights, NARROW)

    for top, bottom in strips:
        if bool(spread(cells, top, bottom, 0, width).any()):
            i, a, _ = read(top, bottom)
            put((top, bottom, 0, width), _apply(_enlarge(means, top, bottom, width, block), i, a))


def _fuse(fore: Tensor, back: Tensor, weights: Tensor, radius: int) -> Tensor:
    """(1): box means of the weighted colours over box means of the weights. Returns [6,h,w]."""
    means = box_mean(torch.cat((fore, back, weights))[None], radius)[0]
    means[:3] /= means[6].clamp(min=TINY)
    means[3:6] /= means[7].clamp(min=TINY)
    return means[:6]


def _apply(means: Tensor, image: Tensor, a: Tensor) -> Tensor:
    """(2) and its twin for the background, clamped to [0,1]. means [6,h,w], image [3,h,w], a [h,w]."""
    b = 1 - a
    rest = image - means[:3] * a - means[3:] * b
    return torch.cat((means[:3].addcmul(rest, a), means[3:].addcmul(rest, b))).clamp_(0, 1)


def _blocks(x: Tensor, block: int) -> Tensor:
    """Means over blocks; a border block counts its pixels inside the picture."""
    return x if block == 1 else F.avg_pool2d(x[None], block, ceil_mode=True, count_include_pad=False)[0]


def _enlarge(means: Tensor, top: int, bottom: int, width: int, block: int) -> Tensor:
    """Rows top..bottom of the block means at full size."""
    return means[:, top:bottom] if block == 1 else enlarge_window(means, block, (top, bottom, 0, width))
