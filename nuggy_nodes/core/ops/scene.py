"""Where a subject stands before a background: placed, with a soft shadow; and the photograph's own background, blurred.

Colours are straight in and out; what is resized or averaged is premultiplied meanwhile, so that hidden colours do not
count (Porter, Duff, SIGGRAPH 1984).
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..checks import check_alpha, check_image
from ..errors import InputError
from .box_filter import box_mean
from .resample import resample

TINY = 1e-4  # an alpha below which a colour is not divided by it
CENTRE = (0.5, 0.5)


def placed(colours: Tensor, alpha: Tensor, scale: float = 1.0, x: float = 0.0, y: float = 0.0) -> tuple[Tensor, Tensor]:
    """The subject larger or smaller about the frame's centre, then moved, in a frame of the same size.

    Args:
        colours: straight [B,3,H,W], 0..1.
        alpha: [B,1,H,W].
        scale: 0.05 to 4.
        x, y: to the right and down, in shares of the frame's width and height.

    Returns:
        colours and alpha; what stands outside the frame is cut off.

    Raises:
        InputError: shapes that do not fit, or a scale out of range.
    """
    check_image(colours, "colours")
    check_alpha(alpha)
    if not 0.05 <= scale <= 4:
        raise InputError(f"scale must be from 0.05 to 4; got {scale:g}")
    height, width = alpha.shape[-2:]
    if scale == 1 and x == 0 and y == 0:
        return colours, alpha
    new = max(round(height * scale), 1), max(round(width * scale), 1)
    both = torch.cat((colours.float() * alpha, alpha.float()), 1)
    both = both if new == (height, width) else resample(both, new)
    frame = both.new_zeros((*both.shape[:2], height, width))
    top = round((height - new[0]) * CENTRE[0] + y * height)
    left = round((width - new[1]) * CENTRE[1] + x * width)
    rows, columns = _overlap(top, new[0], height), _overlap(left, new[1], width)
    if rows and columns:
        inside = both[..., rows[0] - top : rows[1] - top, columns[0] - left : columns[1] - left]
        frame[..., rows[0] : rows[1], columns[0] : columns[1]] = inside
    alpha = frame[:, 3:]
    return (frame[:, :3] / alpha.clamp(min=TINY)).clamp(0, 1), alpha


def soft_shadow(alpha: Tensor, strength: float = 0.5, blur: float = 0.02, x: float = 0.01, y: float = 0.02) -> Tensor:
    """A drawn shadow: the subject's own shape, moved and blurred.

    Args:
        alpha: the subject's [B,1,H,W].
        strength: of the black, 0 to 1.
        blur, x, y: standard deviation of the blur and the move to the right and down, in shares of the longer side.

    Returns:
        The shadow's alpha [B,1,H,W].
    """
    side = max(alpha.shape[-2:])
    height, width = alpha.shape[-2:]
    moved = torch.zeros_like(alpha, dtype=torch.float32)
    top, left = round(y * side), round(x * side)
    rows, columns = _overlap(top, height, height), _overlap(left, width, width)
    if rows and columns:
        inside = alpha[..., rows[0] - top : rows[1] - top, columns[0] - left : columns[1] - left]
        moved[..., rows[0] : rows[1], columns[0] : columns[1]] = inside
    return smooth(moved, blur * side).clamp_(0, 1) * strength


def blurred_background(image: Tensor, alpha: Tensor, blur: float = 0.02) -> Tensor:
    """The photograph's own background out of focus, the subject's colours not in it: each pixel counts by its 1 - alpha
    (normalised convolution, Knutsson, Westin, CVPR 1993).

    Args:
        image: [B,3,H,W], 0..1.
        alpha: the subject's [B,1,H,W], 0..1.
        blur: standard deviation, in shares of the longer side.

    Returns:
        [B,3,H,W] float32, 0..1.
    """
    pixels = blur * max(image.shape[-2:])
    there = 1 - alpha.float()
    near = smooth(torch.cat((image.float() * there, there), 1), pixels)
    far = smooth(torch.cat((image.float() * there, there), 1), pixels * 4)  # under a large subject
    near = near + 0.02 * far
    total = image.float().mean((-2, -1), keepdim=True)
    return ((near[:, :3] + TINY * total) / (near[:, 3:] + TINY)).clamp(0, 1)


def smooth(x: Tensor, pixels: float) -> Tensor:
    """Three box means, close to a Gaussian (Wells, PAMI 1986); the border counts by what is inside the frame.

    Args:
        x: [B,C,H,W] float32.
        pixels: standard deviation.

    Returns:
        A tensor of the same shape.
    """
    radius = round(((4 * pixels * pixels + 1) ** 0.5 - 1) / 2)  # three windows of 2r+1 have variance r(r+1)
    for _ in range(3 if radius > 0 else 0):
        x = box_mean(x, radius)
    return x


def _overlap(start: int, length: int, size: int) -> tuple[int, int] | None:
    first, last = max(start, 0), min(start + length, size)
    return (first, last) if first < last else None
