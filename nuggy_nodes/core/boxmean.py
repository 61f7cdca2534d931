"""Box means over the part of the window that lies inside the picture, at a cost that does not depend on the radius."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import torch
import torch.nn.functional as F
from torch import Tensor


def box_mean(x: Tensor, radius: int, *, inplace: bool = False) -> Tensor:
    """Mean of the (2*radius+1)^2 window around each pixel, divided by the number of its pixels inside the picture.

    x: [B,C,H,W] float32. Returns a tensor of the same shape, new unless `inplace`. On the CPU OpenCV's running sum does it (kept in
    float64); elsewhere two passes of sums within blocks of one window's length (van Herk 1992, Gil and Werman 1993,
    with + for max), which add at most a window's worth of values, so that float32 stays exact enough.
    """
    height, width = x.shape[-2:]
    ry, rx = min(radius, height - 1), min(radius, width - 1)
    if x.device.type == "cpu":
        return _box_mean_opencv(x if inplace else x.clone(memory_format=torch.contiguous_format), ry, rx)
    return _box_mean_torch(x, ry, rx)


def _box_mean_torch(x: Tensor, ry: int, rx: int) -> Tensor:
    out = _window_sum(_window_sum(x, rx, -1), ry, -2)
    out *= _inverse_counts(x.shape[-1], rx, x)
    out *= _inverse_counts(x.shape[-2], ry, x)[:, None]
    return out


def _inverse_counts(n: int, r: int, like: Tensor) -> Tensor:
    i = torch.arange(n, device=like.device)
    return (1.0 / ((i + r).clamp(max=n - 1) - (i - r).clamp(min=0) + 1)).to(like.dtype)


def _window_sum(x: Tensor, r: int, dim: int) -> Tensor:
    """Sums over windows of 2r+1 along `dim`, zeros outside."""
    n, k = x.shape[dim], 2 * r + 1
    blocks = (n + 2 * r + k - 1) // k
    after = blocks * k - n - r
    padded = F.pad(x, (r, after) if dim == -1 else (0, 0, r, after))
    split = padded.unflatten(dim, (blocks, k))
    inner = dim if dim == -1 else -2
    prefix = split.cumsum(inner).flatten(dim - 1, dim)
    suffix = split.flip(inner).cumsum(inner).flip(inner).flatten(dim - 1, dim)
    # the window that starts at i: the rest of i's block, and the start of the next one
    tail = prefix.narrow(dim, k - 1, n).clone()
    starts = torch.arange(n, device=x.device) % k != 0
    mask = starts if dim == -1 else starts[:, None]
    return tail.add_(suffix.narrow(dim, 0, n) * mask)


def _box_mean_opencv(x: Tensor, ry: int, rx: int) -> Tensor:
    """In place where x is contiguous: OpenCV keeps the rows that it still needs."""
    import cv2

    height, width = x.shape[-2:]
    planes = x.contiguous().reshape(-1, height, width)
    ky, kx = 2 * ry + 1, 2 * rx + 1

    def one(i: int) -> None:
        cv2.boxFilter(planes[i].numpy(), -1, (kx, ky), dst=planes[i].numpy(), borderType=cv2.BORDER_CONSTANT)

    workers = min(torch.get_num_threads(), len(planes))
    if workers > 1 and planes[0].numel() > 1 << 14:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(one, range(len(planes))))
    else:
        for i in range(len(planes)):
            one(i)
    # only near the border is part of a window outside
    for n, r, dim in ((height, ry, 1), (width, rx, 2)):
        scale = _inverse_counts(n, r, x) * (2 * r + 1)
        for start, stop in ((0, min(r, n)), (max(n - r, min(r, n)), n)):
            part = scale[start:stop]
            planes.narrow(dim, start, stop - start).mul_(part[:, None] if dim == 1 else part)
    return planes.reshape(x.shape)
