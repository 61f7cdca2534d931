"""The guided filter's algebra: what the means are taken of, the fit in a window, and the line that comes out of it.

He, Sun, Tang, "Guided Image Filtering", PAMI 2013, equations 5, 14, 15 and 16 (guided.py has them). Planes come as
[C,h,w] float32 of any size, the guide with a constant taken off, so that near zero small variances are kept.
"""

from __future__ import annotations

import torch
from torch import Tensor


def count(channels: int) -> int:
    """How many planes `products` makes.

    Args:
        channels: of the guide, 1 or 3.

    Returns:
        Their number.
    """
    return 1 + 2 * channels + channels * (channels + 1) // 2


def products(guide: Tensor, src: Tensor, shift: float, out: Tensor) -> None:
    """I, p, I p, and I I without repeats.

    Args:
        guide: [1 or 3,h,w].
        src: [h,w].
        shift: what is taken off the guide.
        out: [count,h,w], is written.
    """
    channels = len(guide)
    for c in range(channels):
        torch.sub(guide[c].float(), shift, out=out[c])
        torch.mul(out[c], src, out=out[channels + 1 + c])
    out[channels] = src
    at = 2 * channels + 1
    for i in range(channels):
        for j in range(i, channels):
            torch.mul(out[i], out[j], out=out[at])
            at += 1


def fit(means: Tensor, epsilon: float, out: Tensor) -> None:
    """The window's a (one or three channels) and b.

    Args:
        means: the window means of `products`, which are overwritten.
        epsilon: above 0.
        out: [2 or 4,h,w], is written.
    """
    channels = len(out) - 1
    mean_i, mean_p = means[:channels], means[channels]
    cov, second = means[channels + 1 : 2 * channels + 1], means[2 * channels + 1 :]
    at = 0
    for i in range(channels):
        cov[i].addcmul_(mean_i[i], mean_p, value=-1)
        for j in range(i, channels):
            second[at].addcmul_(mean_i[i], mean_i[j], value=-1)
            at += 1
    if channels == 1:
        torch.div(cov[0], second[0].add_(epsilon), out=out[0])
    else:
        solve3(second, cov, epsilon, out[:3])
    b = out[channels]
    for c in range(channels):
        torch.addcmul(b if c else mean_p, out[c], mean_i[c], value=-1, out=b)


def solve3(sigma: Tensor, cov: Tensor, epsilon: float, out: Tensor) -> None:
    """(Sigma + epsilon U)^-1 cov.

    By LDL' elimination and not by cofactors: where the three channels move together (a grey picture) the determinant
    is epsilon^2 times the contrast, far below what float32 keeps of the products that it is the difference of. No pivot
    of Sigma + epsilon U is under epsilon, so one that rounding took there is set back.

    Args:
        sigma: [6,...], xx, xy, xz, yy, yz, zz; overwritten.
        cov: [3,...]; overwritten.
        epsilon: above 0.
        out: [3,...], is written.
    """
    xx, xy, xz, yy, yz, zz = sigma
    cx, cy, cz = cov
    ax, ay, az = out
    dx = xx.add_(epsilon).clamp_(min=epsilon).reciprocal_()
    ly = torch.mul(xy, dx, out=ax)
    dy = yy.add_(epsilon).addcmul_(ly, xy, value=-1).clamp_(min=epsilon).reciprocal_()
    lz = torch.mul(xz, dx, out=xy)
    rest = yz.addcmul_(ly, xz, value=-1)
    lzy = torch.mul(rest, dy, out=ay)
    dz = zz.add_(epsilon).addcmul_(lz, xz, value=-1).addcmul_(lzy, rest, value=-1).clamp_(min=epsilon).reciprocal_()
    cy.addcmul_(ly, cx, value=-1)
    torch.mul(cz.addcmul_(lz, cx, value=-1).addcmul_(lzy, cy, value=-1), dz, out=az)
    torch.addcmul(cy.mul_(dy), lzy, az, value=-1, out=ay)
    torch.addcmul(cx.mul_(dx).addcmul_(ly, ay, value=-1), lz, az, value=-1, out=ax)


def line(coefficients: Tensor, guide: Tensor, shift: float, out: Tensor) -> None:
    """a . (I - shift) + b.

    Args:
        coefficients: [2 or 4,h,w].
        guide: [1 or 3,h,w].
        shift: what is taken off it.
        out: [h,w], is written.
    """
    out.copy_(coefficients[-1])
    for a, plane in zip(coefficients, guide):
        out.addcmul_(a, plane.float() - shift)
