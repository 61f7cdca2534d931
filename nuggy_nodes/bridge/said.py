"""What a job says of its subject, as the core's Guidance: strokes, the selection, the layer's own mask."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from ..core.errors import InputError
from ..core.ops.resample import enlarge
from ..core.segment.guidance import Box, Guidance
from .job import Job
from .memory import Answer

THIN = 0.25  # share of a pixel of the copy from which it is marked: a thin stroke is not lost


def guidance(job: Job, planes: dict[str, Tensor | None]) -> Guidance:
    """What the layer's mask, the selection and the strokes say."""
    marks: dict[str, Any] = {n: planes[n] for n in ("keep", "drop")}
    if job.start == "mask":
        return Guidance(mask=planes["mask"], uncertainty=job.uncertainty or None, **marks)
    selection = planes["selection"]
    if selection is None or job.selection == "limit":
        return Guidance(**marks)
    if job.selection == "subject":
        return Guidance(mask=selection, **marks)
    rows, columns = (selection[0, 0].amax(d).gt(0.5).nonzero() for d in (1, 0))
    if not len(rows):
        raise InputError("the selection's box is empty on this layer; select the subject, or limit nothing")
    y, x = int(rows[0]), int(columns[0])
    return Guidance(boxes=((x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1),), **marks)


def reduced(said: Guidance, size: tuple[int, int], scale: float) -> Guidance:
    """Guidance for a copy of this height and width."""
    planes = {n: getattr(said, n) for n in ("mask", "keep", "drop")}
    small: dict[str, Any] = {n: None if p is None else enlarge(p, *size).clamp(0, 1) for n, p in planes.items()}
    for n in ("keep", "drop"):
        small[n] = None if small[n] is None else (small[n] > THIN).float()
    if small["keep"] is not None and small["drop"] is not None:
        small["drop"] = small["drop"] * (1 - small["keep"])
    uncertainty = None if said.uncertainty is None else said.uncertainty * scale
    return replace(said, boxes=tuple(_box(b, size, scale) for b in said.boxes), uncertainty=uncertainty, **small)


def boxes_moved(answered: Answer | None, said: Guidance, size: tuple[int, int], scale: float) -> Answer | None:
    """The network's answer with what it said of boxes under their places in the copy."""
    if answered is None or not said.boxes:
        return answered
    seen = answered.boxes[0, tuple(said.boxes)]
    return Answer(answered.coarse, {(0, tuple(_box(b, size, scale) for b in said.boxes)): seen}, answered.learnt)


def _box(box: Box, size: tuple[int, int], scale: float) -> Box:
    height, width = size
    x, y = min(box[0] * scale, width - 1), min(box[1] * scale, height - 1)
    return x, y, min(max(box[2] * scale, 1), width - x), min(max(box[3] * scale, 1), height - y)
