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
import torch.nn.functional as F
from torch import Tensor

from .boxmean import box_mean
from .checks import check_alpha, check_image, match_batch
from .errors import InputError

STRIP = 1 << 21  # pixels of a strip for which the statistics are held at a time (CPU): bounds memory, keeps caches warm


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
    return torch.cat([_filter_one(g, s, int(radius), float(epsilon)) for g, s in zip(guide.split(1), src.split(1))])


def enlarge(src: Tensor, height: int, width: int) -> Tensor:
    """Resize [B,C,h,w] bilinearly to height x width; antialiased where it shrinks."""
    if src.shape[-2:] == (height, width):
        return src
    shrinks = height < src.shape[-2] or width < src.shape[-1]
    return F.interpolate(src, size=(height, width), mode="bilinear", align_corners=False, antialias=shrinks)


def _filter_one(guide: Tensor, src: Tensor, radius: int, epsilon: float) -> Tensor:
    """The filter on a batch of one. On the CPU the window statistics are made strip by strip."""
    height, width = guide.shape[-2:]
    # the statistics do not change when a constant is taken off; near zero float32 keeps small variances (in steps of
    # 1/256, so that the order of a sum, which may vary with where the memory lies, cannot show in the result)
    shift = (guide.mean(dtype=torch.float32) * 256).round() / 256
    rows = height if guide.device.type != "cpu" else max(STRIP // width, 2 * radius, 1)
    fitted = torch.empty(1, guide.shape[1] + 1, height, width, device=guide.device)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        first, last = max(top - radius, 0), min(bottom + radius, height)
        part = _fit(guide[:, :, first:last].float() - shift, src[:, :, first:last], radius, epsilon)
        fitted[:, :, top:bottom] = part[:, :, top - first : bottom - first]
    coefficients = box_mean(fitted, radius)
    out = coefficients[:, -1:].clone()
    for c in range(guide.shape[1]):
        out.addcmul_(coefficients[:, c : c + 1], guide[:, c : c + 1].float() - shift)
    return out


def _fit(guide: Tensor, src: Tensor, radius: int, epsilon: float) -> Tensor:
    """The window's a (one or three channels) and b, as [1,2,H,W] or [1,4,H,W]."""
    channels = guide.shape[1]
    products = [guide, src, guide * src] + [guide[:, i:] * guide[:, i : i + 1] for i in range(channels)]
    means = box_mean(torch.cat(products, 1), radius)
    mean_i, mean_p = means[:, :channels], means[:, channels : channels + 1]
    cov = means[:, channels + 1 : 2 * channels + 1].sub_(mean_i * mean_p)
    second = means[:, 2 * channels + 1 :]
    at = 0
    for i in range(channels):
        second[:, at : at + channels - i].sub_(mean_i[:, i:] * mean_i[:, i : i + 1])
        at += channels - i
    a = cov / (second + epsilon) if channels == 1 else _solve3(second, cov, epsilon)
    return torch.cat((a, mean_p - (a * mean_i).sum(1, keepdim=True)), 1)


def _solve3(sigma: Tensor, cov: Tensor, epsilon: float) -> Tensor:
    """(Sigma + epsilon U)^-1 cov; sigma holds xx, xy, xz, yy, yz, zz as channels.

    By LDL' elimination and not by cofactors: where the three channels move together (a grey picture) the determinant
    is epsilon^2 times the contrast, far below what float32 keeps of the products that it is the difference of. No pivot
    of Sigma + epsilon U is under epsilon, so one that rounding took there is set back.
    """
    xx, xy, xz, yy, yz, zz = sigma.unbind(1)
    cx, cy, cz = cov.unbind(1)
    dx = 1.0 / (xx + epsilon).clamp_(min=epsilon)
    ly, lz = xy * dx, xz * dx
    dy = 1.0 / (yy + epsilon).addcmul_(ly, xy, value=-1).clamp_(min=epsilon)
    rest = yz.addcmul(ly, xz, value=-1)
    lzy = rest * dy
    dz = 1.0 / (zz + epsilon).addcmul_(lz, xz, value=-1).addcmul_(lzy, rest, value=-1).clamp_(min=epsilon)
    cy = cy.addcmul(ly, cx, value=-1)
    az = cz.addcmul(lz, cx, value=-1).addcmul_(lzy, cy, value=-1).mul_(dz)
    ay = cy.mul_(dy).addcmul_(lzy, az, value=-1)
    ax = (cx * dx).addcmul_(ly, ay, value=-1).addcmul_(lz, az, value=-1)
    return torch.stack((ax, ay, az), 1)
