"""Which arithmetic the network runs in.

On a CPU bfloat16 takes a third of float32's time or ten times as long, and 8 bits a third or as long, as the processor
and torch's build have them. So one block of the network is timed in each, a fraction of a second, the first time that
it matters; the verdict is kept in the user's cache folder for this processor, version of torch and number of threads.
"""

from __future__ import annotations

import copy
import math
import os
import platform
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..errors import InputError
from .cache import keep, recall
from .isnet import RSU

FILE = "precision.json"
KERNELS = "isnet 2"  # what is timed: another number asks for another verdict
NAMES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16, "int8": torch.int8}
PAYS = 0.8  # of float32's time: for less gain the three digits of bfloat16 are not worth it
EIGHT_PAYS = 0.8  # of the better one's time
HOPELESS = 4.0  # times float32's time, at first sight
SIDE, ROUNDS = 128, 3


@dataclass(frozen=True)
class Verdict:
    """bfloat16: whether it pays beside float32; int8: whether 8 bits pay beside the better of these."""

    bfloat16: bool
    int8: bool


_seen: dict[str, Verdict] = {}


def choose_precision(device: torch.device, name: str = "auto") -> torch.dtype:
    """The arithmetic that the network runs in.

    Args:
        device: where it runs.
        name: "auto" (float16 on CUDA; on CPUs int8 or bfloat16 where they are faster, else float32), float32, bfloat16,
            float16, or on a CPU int8.

    Returns:
        The dtype.

    Raises:
        InputError: another name, or int8 where it cannot be had.
    """
    if name == "int8" and (why := no_eight_bits(device)):
        raise InputError(f"precision int8 cannot be had: {why}; give auto")
    if name in NAMES:
        return NAMES[name]
    if name != "auto":
        raise InputError(f"precision must be auto, {', '.join(NAMES)}; got {name!r}")
    if device.type == "cuda":
        return torch.float16
    if device.type != "cpu":
        return torch.float32
    return torch.int8 if verdict().int8 else floating()


def floating() -> torch.dtype:
    """The floating point that the CPU does best."""
    return torch.bfloat16 if verdict().bfloat16 else torch.float32


def no_eight_bits(device: torch.device) -> str:
    """Why there is no arithmetic in 8 bits.

    Args:
        device: where the network runs.

    Returns:
        A reason; "" where there is such arithmetic.
    """
    if device.type != "cpu":
        return f"it is for CPUs, and this is {device.type}"
    from .eight_bit_check import works

    return works()


def choose_floating(device: torch.device) -> torch.dtype:
    """The floating point that a device does best: for weights that change, which 8 bits have no steps for.

    Args:
        device: where the network runs.

    Returns:
        float16, bfloat16 or float32.
    """
    return floating() if device.type == "cpu" else choose_precision(device)


def verdict() -> Verdict:
    """What pays on this CPU: measured once, then known."""
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "")  # by which the library takes less than the processor has
    key = f"{KERNELS}; {processor()}{limit and ', at most '}{limit}; torch {torch.__version__}; "
    key += f"{torch.get_num_threads()} threads"
    if key not in _seen:
        kept = recall(FILE)
        known = {k: v for k, v in kept.items() if _is_verdict(v)} if isinstance(kept, dict) else {}
        if key not in known:
            half, eight = measure()
            known[key] = [half <= PAYS, eight <= EIGHT_PAYS * (half if half <= PAYS else 1.0)]
            keep(FILE, dict(list(known.items())[-20:]))
        _seen[key] = Verdict(*known[key])
    return _seen[key]


def _is_verdict(kept: object) -> bool:
    return isinstance(kept, list) and len(kept) == 2 and all(isinstance(v, bool) for v in kept)


def measure() -> tuple[float, float]:
    """bfloat16's and 8 bits' time over float32's, of a block of the network. Infinite where there is no kernel or no
    hope."""
    with torch.device("meta"):  # values do not matter, and the user's random numbers are not to be touched
        block = RSU(5, 64, 32, 64)
    block = block.to_empty(device="cpu").to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = torch.ones(1, 64, SIDE, SIDE).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        for weight in block.parameters():
            weight.fill_(1e-3)
        half = copy.deepcopy(block).to(torch.bfloat16)
        kinds = {"bfloat16": lambda: half(x.bfloat16())} | _in_eight_bits(block, x)
        _seconds(lambda: block(x))  # libraries choose their kernels
        exact = _seconds(lambda: block(x))
        hopeful = {name: run for name, run in kinds.items() if _first(run) <= HOPELESS * exact}
        taken = [(_seconds(lambda: block(x)), *map(_seconds, hopeful.values())) for _ in range(ROUNDS)]
    best = [min(t) for t in zip(*taken)]
    ratios = {name: t / best[0] for name, t in zip(hopeful, best[1:])}
    return ratios.get("bfloat16", math.inf), ratios.get("int8", math.inf)


def _in_eight_bits(block: RSU, x: Tensor) -> dict[str, Callable[[], Tensor]]:
    if no_eight_bits(x.device):
        return {}
    from .eight_bit import Block

    names = ["stage"] + [f"stage.rebnconv{i}{d}" for i in range(1, 6) for d in ("", "d")]
    one = {n: torch.ones(64 if n == "stage" else 32) for n in names}
    eight, whole = Block("stage", block, torch.ones(64), one), x.to(torch.uint8)
    return {"int8": lambda: eight(whole)}


def _first(run: Callable[[], Tensor]) -> float:
    try:
        return min(_seconds(run) for _ in range(2))
    except RuntimeError:
        return math.inf


def _seconds(run: Callable[[], Tensor]) -> float:
    started = time.perf_counter()
    run()
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
