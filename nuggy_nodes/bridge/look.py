"""The part of a plane that a preview shows, at the size of the screen."""

from __future__ import annotations

from torch import Tensor

from ..core.ops.resample import enlarge
from .job import Job


def part(job: Job, x: Tensor) -> Tensor:
    """`job.view` of [1,C,h,w], of the layer or of a smaller copy of it, at the size `job.shown`: [1,C,H,W]."""
    height, width = x.shape[-2:]
    down, across = height / job.height, width / job.width
    left, top, wide, high = job.view
    first, start = min(int(top * down), height - 1), min(int(left * across), width - 1)
    last = min(max(round((top + high) * down), first + 1), height)
    end = min(max(round((left + wide) * across), start + 1), width)
    return enlarge(x[..., first:last, start:end], job.shown[1], job.shown[0]).clamp(0, 1)
