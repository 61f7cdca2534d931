"""The guided filter: an alpha takes its edges from the photograph.

He, Sun, Tang, "Guided Image Filtering", PAMI 2013. In every window the output is a linear function of the guide,
q = a.I + b, fitted to the input p by least squares with a penalty `epsilon` on a:

    grey    a = cov(I, p) / (var(I) + epsilon)                 (equation 5)
    colour  a = (Sigma + epsilon U)^-1 cov(I, p)               (equation 14; Sigma 3x3, solved by cofactors)
            b = mean(p) - a.mean(I)                            (equation 15)

then a and b are averaged over the windows that cover a pixel (equation 16). Every mean is a box mean over the part
of the window that lies inside the picture, at a cost that does not depend on the radius.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..checks import check_alpha, check_image, match_batch
from ..errors import InputError
from ..ops.box_filter import box_mean
from ..ops.resample import enlarge
from .guided_filter_cpu import filter_tiles
from .guided_filter_fit import count, fit, line, products

STRIP = 1 << 22  # pixels


def guided_filter(guide: Tensor, src: Tensor, radius: int, epsilon: float) -> Tensor:
    """Filter `src` so that its edges follow `guide`.

    Args:
        guide: [B,1,H,W] (grey) or [B,3,H,W] (colour), values 0..1.
        src: [B,1,H,W]; a smaller one is enlarged bilinearly first (guided upsampling).
        radius: pixels, 1 or more; the window is 2*radius+1 wide.
        epsilon: squared contrast of the guide below which an edge is smoothed, above 0 (1e-6 follows the guide closely,
            1e-2 hardly).

    Returns:
        [B,1,H,W] float32 in no fixed range: a least-squares fit may over- or undershoot by a little.

    Raises:
        InputError: shapes, batches or values that do not fit.
    """
    guide, src = checked(guide, src, radius, epsilon)
    each = [_filter_one(g, s[0], int(radius), float(epsilon)) for g, s in zip(guide, src)]
    return torch.stack(each)[:, None] if len(each) > 1 else each[0][None, None]


def checked(guide: Tensor, src: Tensor, radius: int, epsilon: float) -> tuple[Tensor, Tensor]:
    """What a filter is given, looked at and made to fit.

    Args:
        guide, src, radius, epsilon: as for guided_filter.

    Returns:
        guide [B,1 or 3,H,W] and src [B,1,H,W] float32.

    Raises:
        InputError: shapes, batches or values that do not fit.
    """
    check_image(guide, "guide", (1, 3))
    check_alpha(src, "src")
    if radius != int(radius) or radius < 1:
        raise InputError(f"radius must be a whole number of pixels, at least 1; got {radius}")
    if not epsilon > 0:
        raise InputError(f"epsilon must be above 0; got {epsilon}")
    return match_batch(guide, enlarge(src.float(), guide.shape[-2], guide.shape[-1]), "guide", "src")


def _filter_one(guide: Tensor, src: Tensor, radius: int, epsilon: float) -> Tensor:
    """The filter on one guide [C,H,W] and src [H,W]."""
    work = filter_tiles if guide.device.type == "cpu" else filter_strips
    return work(guide, src, shift_of(guide), radius, epsilon)


def shift_of(guide: Tensor) -> float:
    """A constant to take off a guide: the statistics do not change, and near zero float32 keeps small variances.

    Args:
        guide: [C,H,W].

    Returns:
        About its mean, in steps of 1/256, so that the order of a sum, which may vary with where the memory lies, cannot
        show in the result.
    """
    return round(float(guide[:, ::16].mean(dtype=torch.float32)) * 256) / 256


def filter_strips(guide: Tensor, src: Tensor, shift: float, radius: int, epsilon: float) -> Tensor:
    """The filter on any device. Statistics are held for a strip of rows at a time, which bounds memory.

    Args:
        guide: [C,H,W], C 1 or 3.
        src: [H,W] float32.
        shift: a constant that is taken off the guide.
        radius, epsilon: as for guided_filter.

    Returns:
        [H,W] float32.
    """
    height, width = src.shape
    rows = max(STRIP // width, 8 * radius)
    strips = [(t, min(t + rows, height), max(t - radius, 0), min(t + rows + radius, height))
              for t in range(0, height, rows)]  # fmt: skip
    fitted = torch.empty(len(guide) + 1, height, width, device=guide.device)
    for top, bottom, first, last in strips:
        planes = torch.empty(count(len(guide)), last - first, width, device=guide.device)
        products(guide[:, first:last], src[first:last], shift, planes)
        fit(box_mean(planes[None], radius)[0, :, top - first : bottom - first], epsilon, fitted[:, top:bottom])
    out = torch.empty(height, width, device=guide.device)
    for top, bottom, first, last in strips:
        means = box_mean(fitted[None, :, first:last], radius)[0, :, top - first : bottom - first]
        line(means, guide[:, top:bottom], shift, out[top:bottom])
    return out
