"""What the speed benchmarks share: photographs of a given size, contestants taking turns, device events, memory."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "samples" / "kitten-on-lawn.jpg"


def photograph(megapixels: float, path: Path = SAMPLE) -> np.ndarray:
    """[H,W,3] uint8 of about so many megapixels in the ratio 4:3, the sample enlarged or shrunk."""
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    with Image.open(path) as f:
        return np.array(f.convert("RGB").resize((round(height * 4 / 3), height), Image.Resampling.BICUBIC))


def as_tensor(pixels: np.ndarray, device: torch.device | str = "cpu") -> Tensor:
    """[1,3,H,W] float32, 0..1."""
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].to(device).float().div_(255).contiguous()


def turns(contestants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of wall clock of every contestant in every round; a round before the first warms up."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name, work in contestants.items():
            started = time.perf_counter()
            work()
            if turn:
                taken[name].append(time.perf_counter() - started)
    return taken


def ratio(taken: list[float], base: list[float]) -> float:
    """The median over rounds of one contestant's time over another's."""
    return statistics.median(a / b for a, b in zip(taken, base))


def on_device(work: Callable[[], object], device: torch.device, rounds: int, warm: int = 3) -> float:
    """Median milliseconds of `work`: between device events on a GPU, of wall clock on a CPU."""
    for _ in range(warm if device.type == "cuda" else 1):
        work()
    taken = []
    for _ in range(rounds):
        if device.type == "cuda":
            start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            work()
            stop.record()
            torch.cuda.synchronize(device)
            taken.append(start.elapsed_time(stop))
        else:
            started = time.perf_counter()
            work()
            taken.append((time.perf_counter() - started) * 1e3)
    return statistics.median(taken)


def peak_memory() -> int:
    """Peak resident bytes of this process. Linux hands a child its parent's ru_maxrss, so VmHWM is read there."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) << 10
    except OSError:
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return used if sys.platform == "darwin" else used << 10
