"""One photograph: read, cut out, write."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .. import process
from ..core import Cutout, Recipe, cutout
from ..core.errors import ImageError
from ..core.network.protocol import AnyNetwork
from ..core.ops.opencv import opencv
from ..pictures import Picture, Style, encode, encode_frames, read, write
from ..pictures.encode import check_side
from ..pictures.limits import read_stream
from ..pictures.picture import both
from .backdrop import Backdrop, planes
from .guidance import Said
from .jobs import STREAM, Job
from .pixels import LARGE, to_pixels, to_tensor

Report = Callable[[str, float], None]
EMPTY = 0.5 / 255  # a mask that is nowhere above this is empty: 8 bits store it as 0


@dataclass(frozen=True)
class Output:
    """What is written. what: rgba, mask or composite; behind: of a composite; overwrite: whether it may replace;
    each: every part of the subject in a file of its own as well, NAME-1, NAME-2 and so on; steady: frames that tell
    each mask of an animation or a clip (0: its own alone)."""

    what: str = "rgba"
    style: Style = field(default_factory=Style)
    behind: Backdrop | None = None
    strip: bool = False
    first_frame: bool = False
    overwrite: bool = False
    each: bool = False
    steady: int = 5


@dataclass(frozen=True)
class Engine:
    """What the work is done with. network: None where masks are given in its place."""

    network: AnyNetwork | None
    recipe: Recipe
    device: torch.device
    said: Said | None = None


def _thrifty(report: Report | None) -> Report:
    """The report, and the network's memory given back when it has done its part of a large photograph."""

    def tell(stage: str, share: float) -> None:
        process.keep_freed_memory(stage == "network")
        if stage in ("refine", "islands", "done"):
            process.give_back()
        if report:
            report(stage, share)

    return tell


def warm_imports() -> None:
    """Import what a job will need, while Ctrl-C still ends the process at once."""
    import safetensors.torch  # noqa: F401

    opencv()


class Worker:
    """Does jobs."""

    def __init__(self, engine: Engine, output: Output, megapixels: float):
        self.engine, self.output, self.megapixels = engine, output, megapixels
        self._last: Cutout | None = None  # for its parts
        self._kind: Any = np.uint8

    def read(self, job: Job) -> Picture:
        """The photograph. Raises ImageError."""
        data = read_stream(sys.stdin.buffer) if job.source == STREAM else None
        return read(job.source, megapixels=self.megapixels, data=data)

    def alone(self, picture: Picture) -> bool:
        """Whether a photograph is so large that no other is to be held meanwhile."""
        return picture.rgb.shape[0] * picture.rgb.shape[1] > LARGE

    def cut(self, job: Job, picture: Picture, report: Report | None = None) -> tuple[list[np.ndarray], dict[str, Any]]:
        """The result's pixels, a frame each, and what is to be said of it, with seconds by stage. Raises NuggyError."""
        height, width = picture.rgb.shape[:2]
        check_side(width, height, self.output.style.form)
        done: dict[str, Any] = {"output": str(job.result), "width": width, "height": height}
        note = picture.note
        moving = picture.frames > 1 and not self.output.first_frame
        if moving and self.output.style.form in ("png", "webp", "tiff", "gif") and job.source != STREAM:
            made, told = self._frames(job.source, picture, report)
        else:
            pixels, told = self._one(picture, report, job.source)
            if self.output.each:
                told |= self._parts(job, picture)
            made = [pixels]
            if picture.frames > 1 and (moving or not self.output.first_frame):
                note = both(note, f"only the first of its {picture.frames} frames is used")
        note = both(note, told.pop("note", ""))
        if told.get("empty"):
            note = both(note, "nothing was found in it")
        if picture.deep and self.output.style.form not in ("png", "tiff"):
            note = both(note, f"{self.output.style.form} holds 8 bits of its 16")
        return made, done | told | ({"note": note} if note else {})

    def encode(self, made: list[np.ndarray], picture: Picture) -> bytes:
        """The result's file. Raises ImageError."""
        if len(made) > 1:
            return encode_frames(made, self.output.style, picture.durations, picture.icc, picture.plays)
        exif = None if self.output.strip else picture.exif
        return encode(made[0], self.output.style, picture.icc, picture.dpi, exif)

    def write(self, job: Job, data: bytes) -> None:
        """Raises ImageError."""
        if job.result == STREAM:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        else:
            write(job.result, data, overwrite=self.output.overwrite)

    def _frames(self, path: Path, first: Picture, report: Report | None) -> tuple[list[np.ndarray], dict[str, Any]]:
        height, width = first.rgb.shape[:2]
        if first.frames * height * width > self.megapixels * 1e6:
            raise ImageError(
                f"{path}: {first.frames} frames of {width}x{height} are over the limit of {self.megapixels:g} "
                "megapixels; raise it with --max-megapixels, or give --first-frame"
            )
        from ..clips.moving import Animation
        from ..clips.steadily import steadily
        from .frames import Cutter

        cutter = Cutter(self.engine, self.output, path)
        made = []
        for frame, result in steadily(Animation(path, self.megapixels).frames(), cutter, self.output.steady):
            made.append(cutter.pixels(result, frame.rgb.dtype, first.icc))
            if report:
                report("network", min(len(made) / first.frames, 1.0))
        return made, {"frames": len(made)} | cutter.told()

    def _one(self, picture: Picture, report: Report | None, source: Path) -> tuple[np.ndarray, dict[str, Any]]:
        started = time.perf_counter()
        kind, large = picture.rgb.dtype, picture.rgb.shape[0] * picture.rgb.shape[1] > LARGE
        process.keep_freed_memory(not large)
        image = to_tensor(picture.rgb, self.engine.device)
        picture.rgb = np.empty((0, 0, 3), kind)  # a large photograph is held once
        have = None if picture.alpha is None else to_tensor(picture.alpha, self.engine.device)
        guidance = self.engine.said.of(source, *image.shape[-2:]) if self.engine.said else None
        seconds = {"tensor": time.perf_counter() - started}
        if large:
            process.give_back()
            process.keep_freed_memory()
        tell = _thrifty(report) if large else report
        result = cutout(image, self.engine.network, self.engine.recipe, guidance=guidance, opacity=have, report=tell)
        if self.output.each:
            self._last, self._kind = result, kind
        started = time.perf_counter()
        pixels = to_pixels(self._planes(result, picture.icc), kind)
        taken = time.perf_counter() - started
        seconds |= {**result.seconds, "pixels": taken - result.seconds.get("colours", 0.0)}
        told: dict[str, Any] = {"seconds": seconds}
        if result.islands:
            found = result.islands[0]
            told["islands"] = {"found": found.found, "removed": found.removed, "holes_filled": found.filled}
        if float(result.alpha.amax()) <= EMPTY:
            told["empty"] = True
        return pixels, told

    def _parts(self, job: Job, picture: Picture) -> dict[str, Any]:
        """Every part of the last result in its own file beside the whole. Raises ImageError."""
        from ..core.segment.each import each_part

        result, self._last = self._last, None
        if result is None or job.result == STREAM:
            return {}
        found = each_part(result.alpha)
        if len(found) < 2:
            return {"parts": 1, "note": "one part: subjects that touch stay one"}
        for n, alpha in enumerate(found, 1):
            planes = self._planes(replace(result, alpha=alpha), picture.icc)
            data = self.encode([to_pixels(planes, self._kind)], picture)
            target = job.result.with_name(f"{job.result.stem}-{n}{job.result.suffix}")
            write(target, data, overwrite=self.output.overwrite)
        return {"parts": len(found)}

    def _planes(self, result: Cutout, icc: bytes | None) -> list[Tensor]:
        return planes(result, self.output.what, self.output.behind, icc, self.output.style.form)
