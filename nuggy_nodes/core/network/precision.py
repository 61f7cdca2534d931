"""Which arithmetic the network runs in.

On a CPU bfloat16 takes a third of float32's time or ten times as long, as the processor and torch's build have it. So
one block of the network is timed in both, a fraction of a second, the first time that it matters; the verdict is kept
in the user's cache folder for this processor, version of torch and number of threads.
"""

from __future__ import annotations

import copy
import math
import platform
import time
import zlib
from pathlib import Path

import torch
from torch import Tensor

from ..errors import InputError
from .cache import keep, recall
from .isnet import RSU

FILE = "bfloat16.json"
PAYS = 0.8  # of float32's time: for less gain the three digits of bfloat16 are not worth it
HOPELESS = 4.0  # times float32's time, at first sight
SIDE, ROUNDS = 128, 3

_seen: dict[str, bool] = {}


def choose_precision(device: torch.device, name: str = "auto") -> torch.dtype:
    """The arithmetic that the network runs in.

    Args:
        device: where it runs.
        name: "auto" (float16 on CUDA, bfloat16 on CPUs that are faster with it, else float32), float32, bfloat16 or
            float16.

    Returns:
        The dtype.

    Raises:
        InputError: another name.
    """
    named = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    if name in named:
        return named[name]
    if name != "auto":
        raise InputError(f"precision must be auto, float32, bfloat16 or float16; got {name!r}")
    if device.type == "cuda":
        return torch.float16
    return torch.bfloat16 if device.type == "cpu" and bfloat16_pays() else torch.float32


def bfloat16_pays() -> bool:
    """Whether the CPU runs the network in bfloat16 in at most PAYS of float32's time: measured once, then known."""
    key = f"isnet; {processor()}; torch {torch.__version__}; {torch.get_num_threads()} threads"
    if key not in _seen:
        kept = recall(FILE)
        known = {k: v for k, v in kept.items() if isinstance(v, bool)} if isinstance(kept, dict) else {}
        if key not in known:
            known[key] = measure() <= PAYS
            keep(FILE, dict(list(known.items())[-20:]))
        _seen[key] = known[key]
    return _seen[key]


def measure() -> float:
    """bfloat16's time over float32's, of a block of the network. Infinite where bfloat16 has no kernel or no hope."""
    with torch.device("meta"):  # values do not matter, and the user's random numbers are not to be touched
        block = RSU(5, 64, 32, 64)
    block = block.to_empty(device="cpu").to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = torch.ones(1, 64, SIDE, SIDE).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        for weight in block.parameters():
            weight.fill_(1e-3)
        half, y = copy.deepcopy(block).to(torch.bfloat16), x.bfloat16()
        _seconds(block, x)  # libraries choose their kernels
        exact = _seconds(block, x)
        try:
            if min(_seconds(half, y) for _ in range(2)) > HOPELESS * exact:
                return math.inf
        except RuntimeError:
            return math.inf
        taken = [(_seconds(half, y), _seconds(block, x)) for _ in range(ROUNDS)]
    return min(h for h, _ in taken) / min(e for _, e in taken)


def _seconds(block: RSU, x: Tensor) -> float:
    started = time.perf_counter()
    block(x)
    return time.perf_counter() - started


def processor() -> str:
    """The processor's name, as far as the system tells it, and the instructions that torch uses of it."""
    try:
        lines = [line.partition(":") for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()]
        said = {k.strip(): v.strip() for k, _, v in lines}
        name = " ".join(said[k] for k in ("model name", "CPU implementer", "CPU part") if k in said)
        name += f" {zlib.crc32(said.get('flags', said.get('Features', '')).encode()):08x}"  # virtual ones share names
    except OSError:
        name = ""
    return f"{name or platform.processor() or platform.machine()}, {torch.backends.cpu.get_cpu_capability()}"
