"""Resizing with torch's own filters, on every device."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def resample(x: Tensor, size: tuple[int, int], mode: str = "bilinear", antialias: bool = True) -> Tensor:
    """Another size.

    torch before 2.8 has no antialiased filters for Apple's MPS: there the CPU does it, which shares the memory.

    Args:
        x: [B,C,h,w] float32.
        size: height and width.
        mode: bilinear or bicubic.
        antialias: where it shrinks.

    Returns:
        [B,C,*size].
    """
    try:
        return F.interpolate(x, size=size, mode=mode, align_corners=False, antialias=antialias)
    except NotImplementedError:
        if x.device.type == "cpu":
            raise
        return resample(x.cpu(), size, mode, antialias).to(x.device)


def enlarge(src: Tensor, height: int, width: int) -> Tensor:
    """Resize bilinearly; antialiased where it shrinks.

    Args:
        src: [B,C,h,w] float32.
        height, width: pixels.

    Returns:
        [B,C,height,width]; `src` itself where that is its size.
    """
    if src.shape[-2:] == (height, width):
        return src
    shrinks = height < src.shape[-2] or width < src.shape[-1]
    return resample(src, (height, width), antialias=shrinks)
