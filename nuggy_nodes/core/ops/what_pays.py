"""Which arithmetic pays on this processor: timed once, a fraction of a second, the first time that it matters.

On a CPU bfloat16 takes a third of float32's time or ten times as long, as the processor and torch's build have it. The
answer is kept in the user's cache folder for this processor, version of torch and number of threads.
"""

from __future__ import annotations

import os
import platform
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from .cache import keep, recall

FILE = "precision.json"
PAYS = 0.8  # of float32's time: for less gain the three digits of bfloat16 are not worth it
HOPELESS = 4.0  # times float32's time, at first sight
MOST = 20  # answers in the file
_seen: dict[str, list[bool]] = {}


def once(what: str, count: int, measure: Callable[[], list[bool]]) -> list[bool]:
    """The answers to a question about this processor: measured once, then known.

    Args:
        what: is timed; another name asks for another measurement.
        count: of the answers.
        measure: gives them.

    Returns:
        The answers.
    """
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "")  # by which the library takes less than the processor has
    key = f"{what}; {processor()}{limit and ', at most '}{limit}; torch {torch.__version__}; "
    key += f"{torch.get_num_threads()} threads"
    if key not in _seen:
        kept = recall(FILE)
        known = {k: v for k, v in kept.items() if _is_answer(v)} if isinstance(kept, dict) else {}
        if len(known.get(key, ())) != count:
            known[key] = measure()
            keep(FILE, dict(list(known.items())[-MOST:]))
        _seen[key] = known[key]
    return _seen[key]


def _is_answer(kept: object) -> bool:
    return isinstance(kept, list) and all(isinstance(v, bool) for v in kept)


def ratios(exact: Callable[[], Tensor], others: dict[str, Callable[[], Tensor]], rounds: int = 3) -> dict[str, float]:
    """Times over that of `exact`, the best of rounds in turns.

    Args:
        exact: what the others take the place of.
        others: by name; what raises RuntimeError (there is no kernel) or is hopeless at first sight is not timed.
        rounds: how often.

    Returns:
        By name, of those that were timed.
    """
    _seconds(exact)  # libraries choose their kernels
    first = _seconds(exact)
    hopeful = {name: run for name, run in others.items() if _at_first_sight(run) <= HOPELESS * first}
    taken = [(_seconds(exact), *map(_seconds, hopeful.values())) for _ in range(rounds)]
    best = [min(t) for t in zip(*taken)]
    return {name: t / best[0] for name, t in zip(hopeful, best[1:])}


def _at_first_sight(run: Callable[[], Tensor]) -> float:
    try:
        return min(_seconds(run) for _ in range(2))
    except RuntimeError:
        return float("inf")


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
