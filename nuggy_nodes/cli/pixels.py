"""Pixels of files to the core's tensors and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

STRIP = 1 << 20  # pixels that are converted at a time
LARGE = 16_000_000  # pixels


def to_tensor(pixels: np.ndarray, device: torch.device) -> Tensor:
    """[H,W,C] or [H,W] of uint8 or uint16 to [1,C,H,W], 0..1, on the device; some rows at a time.

    Returns:
        float32; of more than LARGE pixels of 8 bits float16, which holds them exactly to the rounding back, in half the
        memory. What is computed of them is computed in float32, some rows or a tile at a time.
    """
    top = float(np.iinfo(pixels.dtype).max)
    planes = pixels[..., None] if pixels.ndim == 2 else pixels
    height, width, channels = planes.shape
    dtype = torch.float16 if pixels.dtype == np.uint8 and height * width > LARGE else torch.float32
    out = torch.empty(1, channels, height, width, device=device, dtype=dtype)
    rows = max(STRIP // width, 1)
    for at in range(0, height, rows):
        part = np.require(planes[at : at + rows], requirements=["C", "W"])
        x = torch.from_numpy(part if part.dtype == np.uint8 else part.astype(np.int32)).to(device)
        out[0, :, at : at + rows] = x.permute(2, 0, 1).float().mul_(1 / top)
    return out


def to_pixels(planes: Sequence[Tensor], dtype: Any) -> np.ndarray:
    """Tensors [1,C,H,W] float, 0..1, channels one after the other, to [H,W,C] (or [H,W] for one channel) of uint8 or
    uint16, rounded; some rows at a time, so that nothing of full size is held twice."""
    (height, width), top = planes[0].shape[-2:], np.iinfo(dtype).max
    pixels = np.empty((height, width, sum(x.shape[1] for x in planes)), dtype)
    rows = max(STRIP // width, 1)
    for at in range(0, height, rows):
        last = 0
        for x in planes:
            first, last = last, last + x.shape[1]
            scaled = x[0, :, at : at + rows].float().clamp(0, 1).mul_(top).round_()
            scaled = scaled.to(torch.int32 if top > 255 else torch.uint8).permute(1, 2, 0)
            pixels[at : at + rows, :, first:last] = scaled.cpu().numpy()
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels
