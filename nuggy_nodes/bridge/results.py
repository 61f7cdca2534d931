"""The answer to a job: its mask put together with the mask and the selection that are there, as bytes."""

from __future__ import annotations

import torch
from torch import Tensor

from ..core.foreground.estimate import estimate_foreground
from ..core.foreground.unknown_region import HIDDEN
from ..core.recipes import Recipe
from .job import Job
from .look import part
from .memory import Photograph
from .protocol import Bytes
from .samples import combine, to_bytes


def result(
    job: Job, whole: Photograph, seen: Photograph, alpha: Tensor, planes: dict[str, Tensor | None],
    wanted: Recipe,
) -> dict[str, Bytes]:  # fmt: skip
    """The answer's blobs. seen: the photograph that alpha belongs to."""
    limit = planes["selection"] if job.selection == "limit" else None
    old = planes["mask"] if job.start == "network" or limit is not None else None
    colours, bounded, opacity = whole.colours, whole.bounded, whole.opacity
    if job.want == "preview":
        bounded = colours = part(job, bounded if seen is whole else seen.bounded)
        alpha, opacity = part(job, alpha), None if seen.opacity is None else part(job, seen.opacity)
        old, limit = (None if x is None else part(job, x) for x in (old, limit))
    alpha = combine(alpha, old, limit, job.existing if job.start == "network" else "replace")
    if job.want == "mask":
        return {"mask": to_bytes(alpha, job.mask_depth)}
    visible = alpha if opacity is None else alpha * opacity
    own = estimate_foreground(bounded, visible, wanted.foreground, fill=wanted.fill_colour, opacity=opacity)
    if colours is not bounded:
        own = own + torch.where(visible >= HIDDEN, colours - bounded, 0)  # colours beyond sRGB stay beyond it
    layer = torch.cat((own, visible), 1)
    if job.want == "layer":
        return {"layer": to_bytes(layer, "float")}
    return {"mask": to_bytes(alpha, "u8"), "layer": to_bytes(layer, "u8")}
