"""Which arithmetic the network runs in.

8 bits take a third of float32's time on a CPU or as long, bfloat16 a third or ten times as long (ops/what_pays.py), so
one block of the network is timed in each.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import InputError
from ..ops.what_pays import PAYS, once, ratios
from .isnet import RSU

KERNELS = "isnet 2"  # what is timed: another number asks for another verdict
NAMES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16, "int8": torch.int8}
EIGHT_PAYS = 0.8  # of the better one's time
SIDE = 128  # pixels of what the block is shown


@dataclass(frozen=True)
class Verdict:
    """bfloat16: whether it pays beside float32; int8: whether 8 bits pay beside the better of these."""

    bfloat16: bool
    int8: bool


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
    return Verdict(*once(KERNELS, 2, _answers))


def _answers() -> list[bool]:
    half, eight = measure()
    return [half <= PAYS, eight <= EIGHT_PAYS * (half if half <= PAYS else 1.0)]


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
        taken = ratios(lambda: block(x), kinds)
    return taken.get("bfloat16", math.inf), taken.get("int8", math.inf)


def _in_eight_bits(block: RSU, x: Tensor) -> dict[str, Callable[[], Tensor]]:
    if no_eight_bits(x.device):
        return {}
    from .eight_bit import Block

    names = ["stage"] + [f"stage.rebnconv{i}{d}" for i in range(1, 6) for d in ("", "d")]
    one = {n: torch.ones(64 if n == "stage" else 32) for n in names}
    eight, whole = Block("stage", block, torch.ones(64), one), x.to(torch.uint8)
    return {"int8": lambda: eight(whole)}
