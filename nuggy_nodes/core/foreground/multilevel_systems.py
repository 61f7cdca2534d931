"""The 2x2 systems of multi-level colour estimation: their planes, one level coarser, one level finer, and the solve.

The equations stand in multilevel.py. A level's planes, [11,h,w], with a = alpha and b = 1 - alpha:
0 a^2, 1 ab, 2 b^2, 3:6 aI, 6:9 bI (means over the pixels a coarse pixel stands for, zeros where there is no evidence),
9 edge to the right, 10 edge below (differences of alpha). Colours are [6,h,w]: foreground, then background.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..ops.tiles import Window
from .unknown_region import spread

EPSILON = 0.01  # the paper has 1e-5; with masks that are not quite right, more invents fewer colours
STIFF = 0.02  # against grain of the photograph at full size
PLANES = 11


def planes_of(image: Tensor, alpha: Tensor, near: Tensor, window: Window) -> Tensor:
    """The planes of a window at full size; no evidence (zeros) outside near cells.

    Args:
        image: [3,H,W], 0..1.
        alpha: [H,W] float32, 0..1.
        near: bool [ceil(H/8), ceil(W/8)], the near cells.
        window: top, bottom, left, right, in pixels.

    Returns:
        [11,h,w] float32, as the head of this file numbers them.
    """
    top, bottom, left, right = window
    a = alpha[top:bottom, left:right]
    b = 1 - a
    out = torch.empty(PLANES, *a.shape, device=a.device)
    torch.mul(a, a, out=out[0])
    torch.mul(a, b, out=out[1])
    torch.mul(b, b, out=out[2])
    part = image[:, top:bottom, left:right].float()
    torch.mul(part, a, out=out[3:6])
    torch.mul(part, b, out=out[6:9])
    evidence = spread(near, top, bottom, left, right)
    if not bool(evidence.all()):
        out[:9] *= evidence
    out[9:].zero_()
    torch.sub(a[:, 1:], a[:, :-1], out=out[9, :, :-1])
    torch.sub(a[1:], a[:-1], out=out[10, :-1])
    out[9:].abs_()
    return out


def coarsen(planes: Tensor) -> Tensor:
    """Planes of the next coarser level: means of the evidence over 2x2 (over 4 also at an odd border), edges alike.

    Args:
        planes: [11,h,w].

    Returns:
        [11,ceil(h/2),ceil(w/2)].
    """
    h, w = planes.shape[-2:]
    if h % 2 or w % 2:
        planes = F.pad(planes, (0, w % 2, 0, h % 2))
    out = torch.empty(PLANES, planes.shape[1] // 2, planes.shape[2] // 2, device=planes.device)
    pairs = planes[:9, 0::2] + planes[:9, 1::2]
    torch.add(pairs[..., 0::2], pairs[..., 1::2], out=out[:9])
    out[:9].mul_(0.25)
    torch.add(planes[9, 0::2, 1::2], planes[9, 1::2, 1::2], out=out[9])
    torch.add(planes[10, 1::2, 0::2], planes[10, 1::2, 1::2], out=out[10])
    out[9:].mul_(0.125)  # halved, and a quarter as the means are
    return out


def relax(colours: Tensor, planes: Tensor, count: int) -> Tensor:
    """Jacobi iterations of the 2x2 systems.

    Args:
        colours: the start, [6,h,w], 0..1; overwritten.
        planes: [11,h,w].
        count: how many iterations.

    Returns:
        [6,h,w] in [0,1].
    """
    if colours.shape[1:].numel() == 1:
        return colours  # no neighbours: the start is all that is known
    aa, ab, bb = planes[:3]
    wx, wy = planes[9, :, :-1] + EPSILON, planes[10, :-1] + EPSILON
    s = torch.zeros_like(aa)
    s[:, :-1] += wx
    s[:, 1:] += wx
    s[:-1] += wy
    s[1:] += wy
    # (A + sU)^-1 by its determinant, in an order that keeps float32 exact where A is of rank one
    inverse = (aa * bb - ab * ab).clamp_(min=0).addcmul_(s, aa + bb).addcmul_(s, s).reciprocal_()
    m_ff, m_fb, m_bb = (bb + s).mul_(inverse), (ab * inverse).neg_(), (aa + s).mul_(inverse)
    fixed_f = (planes[3:6] * m_ff).addcmul_(planes[6:9], m_fb)
    fixed_b = (planes[3:6] * m_fb).addcmul_(planes[6:9], m_bb)
    around = torch.empty_like(colours)
    for _ in range(count):
        around[:, :, -1] = 0
        torch.mul(colours[:, :, 1:], wx, out=around[:, :, :-1])
        around[:, :, 1:].addcmul_(colours[:, :, :-1], wx)
        around[:, :-1].addcmul_(colours[:, 1:], wy)
        around[:, 1:].addcmul_(colours[:, :-1], wy)
        torch.addcmul(fixed_f, around[:3], m_ff, out=colours[:3]).addcmul_(around[3:], m_fb)
        torch.addcmul(fixed_b, around[:3], m_fb, out=colours[3:]).addcmul_(around[3:], m_bb)
        colours.clamp_(0, 1)
    return colours


def stiffness(a: Tensor) -> Tensor:
    """The total weight of a pixel's neighbours at full size: STIFF and the differences of alpha.

    Args:
        a: alpha [h,w], 0..1.

    Returns:
        [h,w], at least STIFF.
    """
    s = torch.full_like(a, STIFF)
    across, down = (a[:, 1:] - a[:, :-1]).abs_(), (a[1:] - a[:-1]).abs_()
    s[:, :-1] += across
    s[:, 1:] += across
    s[:-1] += down
    s[1:] += down
    return s


def mix_back(colours: Tensor, image: Tensor, a: Tensor, stiff: Tensor) -> Tensor:
    """The solve of one pixel whose neighbours are known: their mean colours, moved to explain the image.

    With neighbours of total weight `stiff` and mean colours F', B', the 2x2 system has the solution
    F = F' + a r, B = B' + b r with r = (I - a F' - b B') / (stiff + a^2 + b^2).

    Args:
        colours: F' and B', [6,h,w], 0..1; changed in place.
        image: [3,h,w], 0..1.
        a: alpha [h,w], 0..1.
        stiff: `stiffness` of it, [h,w].

    Returns:
        [6,h,w] in [0,1].
    """
    b = 1 - a
    rest = image - colours[:3] * a
    rest.addcmul_(colours[3:], b, value=-1)
    rest.div_((a * a).addcmul_(b, b).add_(stiff))
    colours[:3].addcmul_(rest, a)
    colours[3:].addcmul_(rest, b)
    return colours.clamp_(0, 1)


def repeat(colours: Tensor, window: Window) -> Tensor:
    """A window of the next finer level, every coarse pixel repeated 2x2.

    Args:
        colours: the coarse level [6,h,w].
        window: top, bottom, left, right in the finer level.

    Returns:
        A new tensor [6,bottom-top,right-left].
    """
    top, bottom, left, right = window
    y, x = top // 2, left // 2
    part = colours[:, y : (bottom + 1) // 2, x : (right + 1) // 2]
    wide = torch.empty(len(part), 2 * part.shape[1], 2 * part.shape[2], device=part.device)
    wide[:, 0::2, 0::2] = part
    wide[:, 0::2, 1::2] = part
    wide[:, 1::2] = wide[:, 0::2]
    return wide[:, top - 2 * y : bottom - 2 * y, left - 2 * x : right - 2 * x]
