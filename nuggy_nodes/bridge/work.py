"""A job's pixels through the core, and its mask put together with the mask and the selection that are there."""

from __future__ import annotations

import gc
import threading
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core import Network, choose_device, choose_precision, cutout, estimate_foreground, load, recipe
from ..core.errors import InputError, NuggyError, WeightsError
from ..core.foreground.opacity import shown, within
from ..core.foreground.unknown_region import HIDDEN
from ..core.network.device import out_of_memory
from ..core.recipes import Recipe
from .memory import remembering
from .protocol import DEPTHS, Bytes, Job, Message
from .server import Report, RequestError

DTYPES: dict[str, Any] = {"u8": np.uint8, "u16": np.uint16, "float": np.float32}
assert DTYPES.keys() == DEPTHS.keys()


class Worker:
    """Does jobs with one network, which is loaded once. Called by one thread at a time, except for `warm`."""

    def __init__(self, device: str = "auto"):
        self.device = choose_device(device)
        self._network: Network | None = None
        self._loading = threading.Lock()

    def network(self) -> Network:
        with self._loading:
            if self._network is None:
                self._network = remembering(load(None, self.device, choose_precision(self.device)))
            return self._network

    def __call__(self, job: Job, blobs: dict[str, Bytes], report: Report) -> Message:
        """The answer to a job. Raises RequestError, and what `report` raises."""
        try:
            return self._do(job, blobs, report)
        except WeightsError as e:
            raise RequestError("weights", str(e)) from None
        except NuggyError as e:
            raise RequestError("input", str(e)) from None
        except Exception as e:
            if not out_of_memory(e):
                raise
            text = f"{job.width}x{job.height} pixels need more memory than is free on {self.device}"
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        raise RequestError("memory", text)

    def _do(self, job: Job, blobs: dict[str, Bytes], report: Report) -> Message:
        started = time.perf_counter()
        wanted = _recipe(job)
        if self._network is None:
            report("load", 0.0)
        network = self.network()
        report("read", 0.0)
        colours, opacity = _pixels(job, blobs["pixels"], self.device)
        bounded = colours.nan_to_num(0.0, 1.0, 0.0).clamp_(0, 1) if job.depth == "float" else colours
        before = time.perf_counter()
        seen = bounded if opacity is None else shown(bounded, opacity)
        result = cutout(seen, network, wanted, report=lambda stage, share: report(stage, 0.96 * share))
        core = time.perf_counter() - before
        alpha = result.alpha if opacity is None else within(result.alpha, opacity)
        alpha = combine(alpha, *_there(job, blobs, self.device), job.existing)
        answer: dict[str, Bytes] = {}
        if job.want in ("layer", "preview"):
            report("colours", 0.96)
            visible = alpha if opacity is None else alpha * opacity
            own = estimate_foreground(bounded, visible, wanted.foreground, fill=wanted.fill_colour, opacity=opacity)
            beyond = torch.where(visible >= HIDDEN, colours - bounded, 0)  # colours beyond sRGB stay beyond it
            layer = torch.cat((own.add_(beyond), visible), 1)
        report("write", 0.98)
        if job.want in ("mask", "preview"):
            answer["mask"] = to_bytes(alpha, job.mask_depth if job.want == "mask" else "u8")
        if job.want in ("layer", "preview"):
            answer["layer"] = to_bytes(layer, "float" if job.want == "layer" else "u8")
        seconds = {"core": core, "all": time.perf_counter() - started, **result.seconds}
        return Message({"seconds": {k: round(v, 4) for k, v in seconds.items()}}, answer)

    def describe(self) -> dict[str, Any]:
        """What a ping is answered with: proof that the network can be loaded."""
        import platform

        from .. import __version__

        try:
            network = self.network()
        except NuggyError as e:
            raise RequestError("weights", str(e)) from None
        return {
            "nuggy": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "device": str(self.device),
            "weights": str(network.path),
        }


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


def _recipe(job: Job) -> Recipe:
    settings = dict(job.settings)
    unknown = settings.keys() & {"name", "views", "combine"}
    if unknown:
        raise InputError(f"{', '.join(sorted(unknown))} cannot be set from GIMP")
    wrong = [k for k, v in settings.items() if not isinstance(v, (int, float, str)) or isinstance(v, bool)]
    if wrong:
        raise InputError(f"{', '.join(wrong)} must be a number or a word")
    return recipe(job.recipe, **settings)


def _pixels(job: Job, data: Bytes, device: torch.device) -> tuple[Tensor, Tensor | None]:
    """Colours [1,3,H,W] as they came (float may exceed 0..1) and opacity [1,1,H,W] or None."""
    x = from_bytes(data, job.depth, job.height, job.width, job.channels, device)
    opacity = None
    if job.channels in (2, 4):
        opacity = x[:, -1:].nan_to_num(0.0).clamp(0, 1)
        x = x[:, :-1]
    return x.expand(-1, 3, -1, -1).contiguous(), opacity


def _there(job: Job, blobs: dict[str, Bytes], device: torch.device) -> tuple[Tensor | None, Tensor | None]:
    """The layer's mask and the selection, where there are any."""
    size = (job.height, job.width, 1, device)
    old = from_bytes(blobs["mask"], job.mask_depth, *size) if job.has_mask else None
    selection = from_bytes(blobs["selection"], "u8", *size) if job.has_selection else None
    return None if old is None else old.nan_to_num(0.0).clamp(0, 1), selection


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
        x = x.nan_to_num(0.0).clamp_(0, 1).mul_(top).round_().to(torch.int32 if depth == "u16" else torch.uint8)
    array = np.ascontiguousarray(x.contiguous().cpu().numpy().astype(DTYPES[depth], copy=False))
    return memoryview(array.view(np.uint8).reshape(-1))  # type: ignore[arg-type]
