"""The guided filter: an alpha takes its edges from the photograph.

He, Sun, Tang, "Guided Image Filtering", PAMI 2013. In every window the output is a linear function of the guide,
q = a.I + b, fitted to the input p by least squares with a penalty `epsilon` on a:

    grey    a = cov(I, p) / (var(I) + epsilon)                 (equation 5)
    colour  a = (Sigma + epsilon U)^-1 cov(I, p)               (equation 14; Sigma 3x3, solved by cofactors)
            b = mean(p) - a.mean(I)                            (equation 15)

then a and b are averaged over the windows that cover a pixel (equation 16). Every mean is a box mean over the part
of the window that lies inside the picture, at a cost that does not depend on the radius.

A photograph of 12 megapixels and its products are 13 planes of 48 MB. Whole planes made one after another would go
through memory some fifty times, so they are made for one tile after another.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from .boxmean import box_mean
from .checks import check_alpha, check_image, match_batch
from .errors import InputError
from .guided_fit import fit, line, products

BAND = 1 << 22  # pixels for which fitted coefficients are held at a time: bounds memory
SIDE = 1024  # of a tile on a CPU, at the least; eight radii at the least, as the margin around it is worked on twice
CELL = 1 << 17  # pixels of a tile on which the algebra works at a time on a CPU: what one step writes the next finds


Part = tuple[slice, slice]


def guided_filter(guide: Tensor, src: Tensor, radius: int, epsilon: float) -> Tensor:
    """Filter `src` so that its edges follow `guide`.

    guide: [B,1,H,W] (grey) or [B,3,H,W] (colour), values 0..1. src: [B,1,H,W]; a smaller src is enlarged bilinearly
    first (guided upsampling). radius: pixels, 1 or more, the window is 2*radius+1 wide. epsilon: squared contrast of
    the guide below which an edge is smoothed, above 0 (1e-6 follows the guide closely, 1e-2 hardly).
    Returns [B,1,H,W] float32 in no fixed range: a least-squares fit may over- or undershoot by a little.
    """
    check_image(guide, "guide", (1, 3))
    check_alpha(src, "src")
    if radius != int(radius) or radius < 1:
        raise InputError(f"radius must be a whole number of pixels, at least 1; got {radius}")
    if not epsilon > 0:
        raise InputError(f"epsilon must be above 0; got {epsilon}")
    src = enlarge(src.float(), guide.shape[-2], guide.shape[-1])
    guide, src = match_batch(guide, src, "guide", "src")
    return torch.stack([_filter_one(g, s[0], int(radius), float(epsilon)) for g, s in zip(guide, src)])[:, None]


def enlarge(src: Tensor, height: int, width: int) -> Tensor:
    """Resize [B,C,h,w] bilinearly to height x width; antialiased where it shrinks."""
    if src.shape[-2:] == (height, width):
        return src
    shrinks = height < src.shape[-2] or width < src.shape[-1]
    return F.interpolate(src, size=(height, width), mode="bilinear", align_corners=False, antialias=shrinks)


def _filter_one(guide: Tensor, src: Tensor, radius: int, epsilon: float) -> Tensor:
    """The filter on one guide [C,H,W] and src [H,W]."""
    channels, height, width = guide.shape
    # the statistics do not change when a constant is taken off; near zero float32 keeps small variances (in steps of
    # 1/256, so that the order of a sum, which may vary with where the memory lies, cannot show in the result)
    shift = (guide[:, ::16].mean(dtype=torch.float32) * 256).round() / 256
    out = torch.empty(height, width, device=guide.device)
    side = max(SIDE, 8 * radius) if guide.device.type == "cpu" else max(height, width)
    rows = max(BAND // width, side if side < height else 8 * radius)
    held, first, last = guide.new_empty(channels + 1, 0, width, dtype=torch.float32), 0, 0  # a and b of rows first..last
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        ready, before = last, held[:, max(top - radius, 0) - first :]
        first, last = max(top - radius, 0), min(bottom + radius, height)
        held = before.new_empty(channels + 1, last - first, width)
        held[:, : ready - first] = before
        for tile in _tiles(ready, last, width, side):
            around, inner = _around(tile, radius, height, width)
            means = _means(guide[:, around[0], around[1]], src[around], shift, radius)[:, inner[0], inner[1]]
            to = held[:, tile[0].start - first : tile[0].stop - first, tile[1]]
            for cell in _cells(means):
                fit(means[:, cell], epsilon, to[:, cell])
        for tile in _tiles(top, bottom, width, side):
            around, inner = _around(tile, radius, height, width)
            means = box_mean(held[None, :, around[0].start - first : around[0].stop - first, around[1]], radius)
            means, part, to = means[0][:, inner[0], inner[1]], guide[:, tile[0], tile[1]], out[tile]
            for cell in _cells(means):
                to[cell] = line(means[:, cell], part[:, cell].float() - shift)
    return out


def _means(guide: Tensor, src: Tensor, shift: Tensor, radius: int) -> Tensor:
    """The window means of everything that `fit` needs."""
    planes = torch.empty(4 if len(guide) == 1 else 13, *src.shape, device=src.device)
    for cell in _cells(planes):
        products(guide[:, cell].float() - shift, src[cell], planes[:, cell])
    return box_mean(planes[None], radius, inplace=True)[0]


def _around(tile: Part, radius: int, height: int, width: int) -> tuple[Part, Part]:
    """The tile with `radius` around it, as far as the picture goes; and where in that the tile is."""
    around, inner = [], []
    for part, n in zip(tile, (height, width)):
        start = max(part.start - radius, 0)
        around.append(slice(start, min(part.stop + radius, n)))
        inner.append(slice(part.start - start, part.stop - start))
    return (around[0], around[1]), (inner[0], inner[1])


def _cells(planes: Tensor) -> Iterator[slice]:
    """Some rows at a time of planes [K,h,w]; all of them where there is no cache to stay in."""
    height, width = planes.shape[-2:]
    rows = max(CELL // width, 1) if planes.device.type == "cpu" else height
    return (slice(t, min(t + rows, height)) for t in range(0, height, rows))


def _tiles(top: int, bottom: int, width: int, side: int) -> Iterator[Part]:
    """The rows from top to bottom cut into tiles of about `side`, as even as they come."""
    if top < bottom:
        down, across = max(round((bottom - top) / side), 1), max(round(width / side), 1)
        ys = [top + (bottom - top) * i // down for i in range(down + 1)]
        xs = [width * i // across for i in range(across + 1)]
        for y in zip(ys, ys[1:]):
            for x in zip(xs, xs[1:]):
                yield slice(*y), slice(*x)
