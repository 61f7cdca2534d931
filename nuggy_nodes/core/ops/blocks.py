"""Pictures in blocks: means over block x block pixels, and the way back, bilinearly, window by window."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .opencv import opencv
from .tiles import Window


def block_means(x: Tensor, block: int) -> Tensor:
    """Means over blocks; over block^2 also where the border cuts a block, zeros outside.

    Args:
        x: [C,H,W].
        block: pixels a side, 2 or more.

    Returns:
        [C,ceil(H/block),ceil(W/block)].
    """
    h, w = x.shape[-2:]
    if h % block or w % block:
        x = F.pad(x, (0, -w % block, 0, -h % block))
    rows = x[:, 0::block] + x[:, 1::block]
    for i in range(2, block):
        rows += x[:, i::block]
    out = rows[..., 0::block] + rows[..., 1::block]
    for i in range(2, block):
        out += rows[..., i::block]
    return out.mul_(1 / block**2)


def enlarge_window(x: Tensor, block: int, window: Window) -> Tensor:
    """A window of x at `block` times its size, bilinearly (sample points in the middle of pixels).

    Args:
        x: [C,h,w] float32.
        block: how many times larger.
        window: top, bottom, left, right in the large picture; top and left are multiples of `block`.

    Returns:
        [C,bottom-top,right-left], float32.
    """
    top, bottom, left, right = window
    y0, y1 = max(top // block - 1, 0), min(-(-bottom // block) + 1, x.shape[1])
    x0, x1 = max(left // block - 1, 0), min(-(-right // block) + 1, x.shape[2])
    part = x[:, y0:y1, x0:x1].contiguous()
    cv2 = opencv() if part.device.type == "cpu" else None
    if cv2:  # the same samples as torch's, several times as fast
        size = (part.shape[2] * block, part.shape[1] * block)
        wide = torch.from_numpy(np.empty((part.shape[0], size[1], size[0]), np.float32))
        for plane, out in zip(part.numpy(), wide.numpy()):
            cv2.resize(plane, size, dst=out, interpolation=cv2.INTER_LINEAR)
    else:
        wide = F.interpolate(part[None], scale_factor=block, mode="bilinear", align_corners=False)[0]
    return wide[:, top - y0 * block : bottom - y0 * block, left - x0 * block : right - x0 * block]
