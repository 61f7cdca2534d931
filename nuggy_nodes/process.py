"""Settings of a process that is Nuggy's own (the command line, the GIMP worker). A library must not touch them."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4  # malloc.h of the GNU C library
MAPS = 65536  # its default for M_MMAP_MAX


SPINS = "1000"  # looks that a thread of GNU's OpenMP takes at whether the others are done, before it sleeps


def share_cores() -> None:
    """Have torch's threads sleep soon when they wait for each other; before torch is imported, or without effect.

    After each of a network's thousand steps its threads wait for the slowest. GNU's OpenMP has them look 300,000 times
    before they sleep: where another program has a core, the one that waits burns the core that the other needs, and a
    second's work takes three seconds, or thirty where the system shares by sessions. With 1000 looks it takes two, and
    on a quiet machine nothing is lost (benchmarks/busy.py). What the user set is obeyed. Of effect on Linux alone.
    """
    if not os.environ.keys() & {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}:
        os.environ["GOMP_SPINCOUNT"] = SPINS  # read when the library is loaded; what is started from here inherits it


def keep_freed_memory(keep: bool = True) -> None:
    """Have the GNU C library keep freed memory instead of giving it back to the kernel after each layer.

    A pass allocates and frees 1.5 GB in maps of up to 67 MB; each comes as fresh pages that the kernel clears and maps
    one by one, a quarter of the time of a bfloat16 pass on the CPU. No effect elsewhere than on Linux with glibc.

    Args:
        keep: False for what is large and asked for once, a photograph of a hundred megapixels: it is mapped, and gone
            when it is freed, where a heap would keep holes of its size.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(M_MMAP_MAX, 0 if keep else MAPS)
    mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
    mallopt(M_TOP_PAD, 64 << 20)


def give_back() -> None:
    """Give freed memory back to the kernel all the same, between two steps of which each needs much of it."""
    if sys.platform.startswith("linux"):
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


@contextlib.contextmanager
def lasting() -> Iterator[None]:
    """What is made meanwhile, modules above all, lasts as long as the process: no garbage is looked for in it.

    Python's collector goes through all objects again and again while they become more, and once more when the process
    ends: of torch's half a million that is .15 s of its import and .4 s of the end.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():  # once: in a process that calls this again, garbage is to be found all the same
            gc.freeze()
        if running:
            gc.enable()


def keep_to_quota() -> None:
    """Have torch start as many threads as a container's share of processor time is worth, if that is fewer.

    torch counts the cores that it may run on; a container limited to two cores' time on a machine with 64 would start
    64 threads and have them stopped in turn. OMP_NUM_THREADS, where set, is obeyed. No effect elsewhere than on Linux.
    """
    import torch

    quota = cpu_quota()
    if quota and quota < torch.get_num_threads() and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(int(quota + 0.5), 1))


def free_memory(root: Path = Path("/sys/fs/cgroup"), told: Path = Path("/proc/meminfo")) -> int | None:
    """Bytes of memory that can still be had, swap not counted; None where the system does not tell.

    The least of what the machine has and what the control group (v2 memory.max, v1 memory.limit_in_bytes) leaves.
    """
    found = []
    with contextlib.suppress(OSError, IndexError, ValueError):
        lines = dict(line.split(":", 1) for line in told.read_text(encoding="ascii").splitlines())
        found.append(int(lines.get("MemAvailable", "").split()[0]) * 1024)
    for group, limits, usage in (("", "max", "current"), ("memory/", "limit_in_bytes", "usage_in_bytes")):
        most, now, stat = (f"{group}memory.{name}" for name in (limits, usage, "stat"))
        with contextlib.suppress(OSError, IndexError, ValueError):  # "max" is no number
            limit, used = int((root / most).read_text()), int((root / now).read_text())
            kept = dict(line.split() for line in (root / stat).read_text().splitlines())
            found.append(max(limit - used + int(kept.get("inactive_file", 0)), 0))
    return min(found, default=None)


def cpu_quota(root: Path = Path("/sys/fs/cgroup")) -> float:
    """Cores' worth of processor time that the control group gives (cgroup v2 cpu.max, v1 cpu.cfs_*); 0 for no limit."""
    for files in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            quota, period = " ".join((root / f).read_text() for f in files).split()
            return max(float(quota), 0.0) / float(period) if quota != "max" else 0.0
        except (OSError, ValueError, ZeroDivisionError):
            continue
    return 0.0


@contextlib.contextmanager
def own_lines_only() -> Iterator[None]:
    """Keep what C libraries write to standard error away from it; what goes through sys.stderr still gets there.

    libtiff and libpng tell there of every damaged file in words of their own.
    """
    stream = sys.stderr
    try:
        ours = stream.fileno() == 2
    except (OSError, ValueError, AttributeError):
        ours = False
    if not ours:
        yield
        return
    stream.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        sys.stderr = open(  # noqa: SIM115 - closed by the descriptor
            kept, "w", encoding=stream.encoding, errors=stream.errors, buffering=1, closefd=False
        )
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stderr.flush()
        sys.stderr = stream
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def interrupts_end(at_once: bool) -> None:
    """What Ctrl-C does: end the process there and then (`at_once`), or raise KeyboardInterrupt.

    The first is for the time in which modules are imported and there is nothing to clean up: a KeyboardInterrupt
    inside an import comes out of some libraries as an ImportError. No effect where Ctrl-C is ignored or handled by
    somebody else, or beside the main thread.
    """
    ours = (signal.SIG_DFL, signal.default_int_handler)
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) in ours:
        signal.signal(signal.SIGINT, ours[0] if at_once else ours[1])


@contextlib.contextmanager
def terminates_as_interrupted() -> Iterator[None]:
    """SIGTERM, while inside, raises KeyboardInterrupt as Ctrl-C does, so that what is half written is taken away. No
    effect where it is ignored or handled by somebody else, or beside the main thread."""
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if ours:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
