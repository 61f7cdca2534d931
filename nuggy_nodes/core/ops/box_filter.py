"""Box means over the part of the window that lies inside the picture, at a cost that does not depend on the radius."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .opencv import opencv
from .thread_pool import for_each


def box_mean(x: Tensor, radius: int) -> Tensor:
    """Mean of the (2*radius+1)^2 window around each pixel, divided by the number of its pixels inside the picture.

    On the CPU running sums in float64 do it, OpenCV's where there is one; elsewhere two passes of sums within blocks of
    one window's length (van Herk 1992, Gil and Werman 1993, with + for max), which add at most a window's worth of
    values, so that float32 stays exact enough.

    Args:
        x: [B,C,H,W] float32.
        radius: pixels, 0 or more.

    Returns:
        A new tensor of the same shape.
    """
    return _box_mean_cpu(x, radius) if x.device.type == "cpu" else _box_mean_torch(x, radius)


def _box_mean_torch(x: Tensor, radius: int) -> Tensor:
    height, width = x.shape[-2:]
    for n in (height, width):  # down the columns, twice: on a GPU running sums along rows take many times as long
        x = _column_sum(x, min(radius, n - 1)).transpose(-1, -2)
    inverse = _inverse_counts(height, radius, x)[:, None] * _inverse_counts(width, radius, x)
    return torch.mul(x, inverse, out=torch.empty(x.shape, device=x.device))


def _inverse_counts(n: int, r: int, like: Tensor) -> Tensor:
    i = torch.arange(n, device=like.device)
    return 1.0 / ((i + r).clamp(max=n - 1) - (i - r).clamp(min=0) + 1)


def _column_sum(x: Tensor, r: int) -> Tensor:
    """Sums over windows of 2r+1 rows, zeros outside.

    With the columns cut into blocks of k = 2r+1, P the sums from a block's start and T a block's whole sum, a window is
    the rest of one block, T - P at the place before it, and the start of the next, P at its last place.
    """
    n, k = x.shape[-2], 2 * r + 1
    blocks = -(-(n + k) // k)
    padded = F.pad(x, (0, 0, r + 1, blocks * k - n - r - 1)).contiguous()
    prefix = padded.unflatten(-2, (blocks, k)).cumsum(-2)
    out = prefix[..., 1:, :, :] - prefix[..., :-1, :, :]
    return out.add_(prefix[..., :-1, -1:, :]).flatten(-3, -2)[..., :n, :]


def _box_mean_cpu(x: Tensor, radius: int) -> Tensor:
    height, width = x.shape[-2:]
    planes = x.contiguous().view(-1, height, width)
    out = torch.empty_like(planes)

    def one(i: int) -> None:
        box_mean_tile(planes[i].numpy(), out[i].numpy(), radius, (0, height, 0, width), (height, width))

    for_each(one, range(len(planes)))
    return out.view(x.shape)


def box_mean_tile(
    tile: np.ndarray, out: np.ndarray, radius: int, area: tuple[int, int, int, int], size: tuple[int, int]
) -> None:
    """Box means of a tile that has been cut out of a picture with its surroundings, on the CPU.

    Right wherever all of the window that lies inside the picture is inside the tile; without meaning elsewhere.

    Args:
        tile, out: [h,w] float32, rows contiguous, maybe the same.
        radius: pixels.
        area: top, bottom, left, right of the tile in the picture.
        size: the picture's height and width.
    """
    ry, rx = (min(radius, n - 1) for n in size)
    cv2 = opencv()
    if cv2:  # in place as well: it keeps the sums of the rows that it still needs
        cv2.boxFilter(tile, -1, (2 * rx + 1, 2 * ry + 1), dst=out, borderType=cv2.BORDER_CONSTANT)
    else:
        np.multiply(_window_sum_cpu(_window_sum_cpu(tile, rx).T, ry).T, 1 / ((2 * rx + 1) * (2 * ry + 1)), out=out)
    for axis, r in enumerate((ry, rx)):  # only near the border is part of a window outside
        start, stop = area[2 * axis : 2 * axis + 2]
        n, i = size[axis], np.arange(start, stop)
        counts = np.minimum(i + r, n - 1) - np.maximum(i - r, 0) + 1
        near = np.flatnonzero(counts < 2 * r + 1)
        for part in (near[near < n // 2 - start], near[near >= n // 2 - start]):
            if len(part):
                span = slice(part[0], part[-1] + 1)
                scale = ((2 * r + 1) / counts[span]).astype(np.float32)
                if axis == 0:
                    out[span] *= scale[:, None]
                else:
                    out[:, span] *= scale


def _window_sum_cpu(x: np.ndarray, r: int) -> np.ndarray:
    """Sums over windows of 2r+1 columns of [h,w], zeros outside, in float64: differences of the sums up to a place."""
    height, width = x.shape
    upto = np.zeros((height, width + 2 * r + 1))
    np.cumsum(x, axis=1, out=upto[:, r + 1 : r + 1 + width], dtype=np.float64)
    upto[:, r + 1 + width :] = upto[:, r + width, None]
    return upto[:, 2 * r + 1 :] - upto[:, :width]
