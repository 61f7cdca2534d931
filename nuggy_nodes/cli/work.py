"""One photograph: read, cut out, write."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core import Cutout, Network, Recipe, cutout
from ..core.errors import InputError
from ..core.ops.colour import colour_plane
from ..core.ops.composite import fit
from ..pictures import Picture, encode, read, write
from .jobs import Job

STRIP = 1 << 20  # pixels that are made whole numbers at a time


def background(text: str | None) -> tuple[float, ...] | Tensor:
    """A colour (name, hex, CSS function) or a picture file [1,3,H,W]; None is white. Raises InputError, ImageError."""
    from PIL import ImageColor

    if text is None:
        return (1.0, 1.0, 1.0)
    try:
        return tuple(c / 255 for c in ImageColor.getrgb(text)[:3])
    except ValueError:
        pass
    if not Path(text).is_file():
        raise InputError(f"--background {text!r} is neither a colour (white, #30a0ff, rgb(0,128,0)) nor a picture file")
    return to_tensor(read(Path(text)).rgb, torch.device("cpu"))


def warm_imports() -> None:
    """Import what a job will need, while Ctrl-C still ends the process at once."""
    import cv2  # noqa: F401
    import safetensors.torch  # noqa: F401


def to_tensor(pixels: np.ndarray, device: torch.device) -> Tensor:
    """[H,W,C] or [H,W] of uint8 or uint16 to [1,C,H,W] float32, 0..1, on the device."""
    top = np.iinfo(pixels.dtype).max
    x = torch.from_numpy(pixels if pixels.dtype == np.uint8 else pixels.astype(np.int32)).to(device)
    x = x[None, None] if x.ndim == 2 else x.permute(2, 0, 1)[None]
    return x.to(torch.float32, memory_format=torch.contiguous_format).mul_(1 / top)


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
            scaled = x[0, :, at : at + rows].clamp(0, 1).mul_(top).round_()
            scaled = scaled.to(torch.int32 if top > 255 else torch.uint8).permute(1, 2, 0)
            pixels[at : at + rows, :, first:last] = scaled.cpu().numpy()
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels


class Worker:
    """Does jobs; the weights are loaded when the first photograph has been read."""

    def __init__(
        self,
        args: argparse.Namespace,
        recipe: Recipe,
        device: torch.device,
        dtype: torch.dtype,
        behind: tuple[float, ...] | Tensor | None,
    ):
        self.args, self.recipe, self.device, self.dtype, self.behind = args, recipe, device, dtype, behind
        self._network: Network | None = None

    @property
    def network(self) -> Network:
        if self._network is None:
            from ..core import load

            self._network = load(self.args.weights, self.device, self.dtype)
        return self._network

    def read(self, job: Job) -> Picture:
        """The photograph. Raises ImageError."""
        return read(job.source)

    def cut(
        self, job: Job, picture: Picture, report: Callable[[str, float], None] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """The result's pixels, and what is to be said of it, with seconds by stage. Raises NuggyError."""
        network = self.network
        started = time.perf_counter()
        image = to_tensor(picture.rgb, self.device)
        have = None if picture.alpha is None else to_tensor(picture.alpha, self.device)
        seconds = {"tensor": time.perf_counter() - started}
        result = cutout(image, network, self.recipe, opacity=have, report=report)
        started = time.perf_counter()
        pixels = self._pixels(result, picture.rgb.dtype)
        taken = time.perf_counter() - started
        seconds |= {**result.seconds, "pixels": taken - result.seconds.get("colours", 0.0)}
        note = picture.note
        if self.args.format == "webp" and picture.rgb.dtype == np.uint16:
            note = "; ".join(filter(None, (note, "WebP holds 8 bits of its 16")))
        height, width = picture.rgb.shape[:2]
        done: dict[str, Any] = {"output": str(job.result), "width": width, "height": height, "seconds": seconds}
        if result.islands:
            found = result.islands[0]
            done["islands"] = {"found": found.found, "removed": found.removed, "holes_filled": found.filled}
        return pixels, done | ({"note": note} if note else {})

    def encode(self, pixels: np.ndarray, picture: Picture) -> bytes:
        """The result's file. Raises ImageError."""
        return encode(pixels, self.args.format, picture.icc, picture.dpi)

    def write(self, job: Job, data: bytes) -> None:
        """Raises ImageError."""
        write(job.result, data, overwrite=self.args.overwrite)

    def _pixels(self, result: Cutout, dtype: Any) -> np.ndarray:
        if self.args.output == "mask":
            return to_pixels([result.alpha], dtype)
        if self.args.output == "rgba":
            return to_pixels([result.colours, result.alpha], dtype)
        behind = self.behind
        assert behind is not None  # the composite's background is made with the arguments
        if isinstance(behind, Tensor):
            plane = fit(behind.to(self.device), *result.alpha.shape[-2:])
        else:
            plane = colour_plane(behind, result.image)
        return to_pixels([result.over(plane)], dtype)
