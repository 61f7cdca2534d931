"""A frame of a clip: cut out, and the pixels that are written of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..clips.frame import Frame
from ..core import Cutout, Guidance, cutout
from .backdrop import planes
from .pixels import to_pixels, to_tensor
from .work import EMPTY

if TYPE_CHECKING:
    from .work import Engine, Output


class Cutter:
    """Cuts frames; counts seconds by stage, and whether anything was found in any."""

    def __init__(self, engine: Engine, output: Output, source: Path):
        self._engine, self._output, self._source = engine, output, source
        self._said: Guidance | None = None
        self._seconds: dict[str, float] = {}
        self._done, self._empty = 0, True

    def __call__(self, frame: Frame) -> Cutout:
        """The frame's cut-out, its mask not steadied yet. Raises NuggyError."""
        engine, started = self._engine, time.perf_counter()
        image = to_tensor(frame.rgb, engine.device).float()
        have = None if frame.alpha is None else to_tensor(frame.alpha, engine.device).float()
        if engine.said and not self._done:
            self._said = engine.said.of(self._source, *image.shape[-2:])
        self._done += 1
        self._add({"tensor": time.perf_counter() - started})
        found = cutout(image, engine.network, engine.recipe, guidance=self._said, opacity=have)
        self._add(found.seconds)
        found.seconds.clear()
        return found

    def pixels(self, result: Cutout, kind: Any, icc: bytes | None = None) -> np.ndarray:
        """What is written of a frame, [H,W] or [H,W,3 or 4] of this kind."""
        started = time.perf_counter()
        if result.opacity is not None:
            result.alpha = torch.minimum(result.alpha, result.opacity.to(result.alpha))
        self._empty = self._empty and float(result.alpha.amax()) <= EMPTY
        form = self._output.style.form
        made = to_pixels(planes(result, self._output.what, self._output.behind, icc, form), kind)
        taken = time.perf_counter() - started
        self._add({**result.seconds, "pixels": taken - result.seconds.get("colours", 0.0)})
        return made

    def told(self) -> dict[str, Any]:
        """What is to be said of all frames."""
        seconds = {stage: round(taken, 4) for stage, taken in self._seconds.items()}
        return {"seconds": seconds} | ({"empty": True} if self._empty else {})

    def _add(self, seconds: dict[str, float]) -> None:
        for stage, taken in seconds.items():
            self._seconds[stage] = self._seconds.get(stage, 0.0) + taken
