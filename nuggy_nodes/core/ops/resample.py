"""Resizing with torch's own filters, on every device."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def resample(x: Tensor, size: tuple[int, int], mode: str = "bilinear", antialias: bool = True) -> Tensor:
    """x [B,C,h,w] float32 at another size, [B,C,*size]. mode: bilinear or bicubic; antialias: where it shrinks.

    torch before 2.8 has no antialiased filters for Apple's MPS: there the CPU does it, which shares the memory.
    """
    try:
        return F.interpolate(x, size=size, mode=mode, align_corners=False, antialias=antialias)
    except NotImplementedError:
        if x.device.type == "cpu":
            raise
        return resample(x.cpu(), size, mode, antialias).to(x.device)


def enlarge(src: Tensor, height: int, width: int) -> Tensor:
    """Resize [B,C,h,w] bilinearly to height x width; antialiased where it shrinks."""
    if src.shape[-2:] == (height, width):
        return src
    shrinks = height < src.shape[-2] or width < src.shape[-1]
    return resample(src, (height, width), antialias=shrinks)
