"""Rows of samples, as GIMP has them, to tensors and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from .job import DEPTHS, MARKS, Job
from .protocol import Bytes

DTYPES: dict[str, Any] = {"u8": np.uint8, "u16": np.uint16, "float": np.float32}
assert DTYPES.keys() == DEPTHS.keys()


def pixels(job: Job, data: Bytes, device: torch.device) -> tuple[Tensor, Tensor | None]:
    """Colours [1,3,H,W] as they came (float may exceed 0..1) and opacity [1,1,H,W] or None."""
    x = from_bytes(data, job.depth, job.height, job.width, job.channels, device)
    opacity = None
    if job.channels in (2, 4):
        opacity = x[:, -1:].nan_to_num(0.0).clamp(0, 1)
        x = x[:, :-1]
    return x.expand(-1, 3, -1, -1).contiguous(), opacity


def from_bytes(data: Bytes, depth: str, height: int, width: int, channels: int, device: torch.device) -> Tensor:
    """Rows of samples to [1,C,H,W] float32; whole numbers become 0..1."""
    whole = data if isinstance(data, bytearray) else bytearray(data)  # torch wants to be allowed to write
    raw = np.frombuffer(whole, DTYPES[depth]).reshape(height, width, channels)
    x = torch.from_numpy(raw if depth == "float" else raw.astype(np.int32) if depth == "u16" else raw).to(device)
    x = x.permute(2, 0, 1)[None].to(torch.float32, memory_format=torch.contiguous_format)
    return x if depth == "float" else x.div_(float(np.iinfo(DTYPES[depth]).max))


def to_bytes(x: Tensor, depth: str) -> Bytes:
    """[1,C,H,W] to rows of samples; whole numbers are rounded."""
    x = x[0].permute(1, 2, 0)
    if depth != "float":
        top = int(np.iinfo(DTYPES[depth]).max)
        x = x.nan_to_num(0.0).clamp(0, 1).mul_(top).round_().to(torch.int32 if depth == "u16" else torch.uint8)
    array = np.ascontiguousarray(x.contiguous().cpu().numpy().astype(DTYPES[depth], copy=False))
    return memoryview(array.view(np.uint8).reshape(-1))  # type: ignore[arg-type]


def plane(job: Job, blobs: dict[str, Bytes], name: str, device: torch.device) -> Tensor | None:
    """The layer's mask, the selection or strokes, [1,1,h,w], 0..1; None where none came."""
    if name not in blobs:
        return None
    depth = job.mask_depth if name == "mask" else "u8"
    width, height = job.marks if name in MARKS and job.marks else (job.width, job.height)
    return from_bytes(blobs[name], depth, height, width, 1, device).nan_to_num_(0.0).clamp_(0, 1)


def combine(new: Tensor, old: Tensor | None, selection: Tensor | None, how: str) -> Tensor:
    """The new mask with the layer's old one (replace, intersect: the darker, add: the lighter), inside the selection.

    Outside the selection the old mask stays; a layer without one is wholly visible there.
    """
    result = new
    if old is not None and how == "intersect":
        result = torch.minimum(new, old)
    elif old is not None and how == "add":
        result = torch.maximum(new, old)
    if selection is None:
        return result
    base = torch.ones_like(new) if old is None else old
    return torch.where(selection >= 1, result, torch.lerp(base, result, selection))
