"""Ray: a cluster, its shares, and the stream through it. Queues, back-pressure, retries and spilling are Ray Data's."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from .. import process
from ..core.errors import InputError
from .stages import Cutter, Order, read_block, write_block
from .stores import NEEDED

BLOCK_BYTES = 32 << 20  # of pictures that travel together; a larger picture travels alone
STORE_BYTES = 4 << 30  # of the object store of a cluster that is started here, at the most
STILL = 900  # seconds without any answer after which a run is begun anew with what is left of the cluster
FILES = 0.4  # logical CPUs of a task that reads or writes, at the most
HELD = "30"  # seconds for which a run that was killed still holds its part of the cluster; Ray's own are 180


@dataclass(frozen=True)
class Share:
    """Actors with a network, what each asks of Ray (CPUs, GPUs), and its threads. files: what a task that reads or
    writes asks; never an actor's CPUs, or Ray would do both in one process."""

    workers: int
    cpus: float
    gpus: float
    threads: int
    files: float = FILES


def connect() -> dict[str, float]:
    """The cluster that RAY_ADDRESS names, or one on this machine, for this process alone; its resources. Raises
    InputError."""
    address = os.environ.get("RAY_ADDRESS")
    if not address:  # before Ray is imported: its sockets are then on the loopback alone
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_DATA_AUTOSCALING_REQUEST_EXPIRE_TIME_S", HELD)
    try:
        import ray
        import ray.data
    except ImportError:
        raise InputError(NEEDED) from None
    if not ray.is_initialized():
        told: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        try:
            if address:
                ray.init(address, **told)
            else:
                _start(told)
        except Exception as e:  # of a raylet that does not come up Ray raises that very class
            where = f"RAY_ADDRESS names {address}, where" if address else "on this machine"
            raise InputError(f"{where} no Ray cluster can be had: {str(e).splitlines()[0][:200]}") from None
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.target_max_block_size = BLOCK_BYTES
    context.execution_no_progress_timeout_s = STILL
    context.max_errored_blocks = -1  # a photograph that kills its worker each time is not the end of the others
    context.print_on_execution_start = False
    found: dict[str, float] = ray.cluster_resources()
    return found


def _start(told: dict[str, Any], tries: int = 3) -> None:
    """Ray on this machine; once more where a busy machine let it time out."""
    import ray

    free = process.free_memory() or STORE_BYTES * 3
    more = {"include_dashboard": False, "num_cpus": cores(),
            "object_store_memory": max(min(STORE_BYTES, free // 3), 100 << 20)}  # fmt: skip
    try:
        ray.init("local", **told, **more)
    except Exception as e:
        if "timed out" not in str(e) or tries == 1:
            raise
        ray.shutdown()
        _start(told, tries - 1)


def cores() -> int:
    """Cores' worth of time that this process may use."""
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(min(mine, round(process.cpu_quota()) or mine), 1)


def machines() -> list[dict[str, float]]:
    """What each machine of the cluster has, of those that can work."""
    import ray

    return [n["Resources"] for n in ray.nodes() if n["Alive"] and n["Resources"].get("CPU")]


def share(resources: dict[str, float], workers: int = 0, gpus: float | None = None, device: str = "auto") -> Share:
    """How a cluster is shared out.

    Args:
        resources: the cluster's, as Ray counts them.
        workers: networks; 0: one a GPU's share, or one a machine.
        gpus: share of a GPU that each has; None: 1 where there are any, and `device` is not cpu.

    Returns:
        On CPUs an actor asks for half of its cores, so that tasks run beside it; its threads are all of them. The
        actors on a machine leave room there for a task that reads and one that writes, also when another machine is
        lost: Ray Data gives to the first stages first, and would begin to write only when all is read.
    """
    there = machines()
    if not there:
        raise InputError("the Ray cluster has no CPU that could work; add machines, or unset RAY_ADDRESS")
    if gpus is None:
        gpus = 1.0 if resources.get("GPU") and device != "cpu" else 0.0
    if gpus and resources.get("GPU", 0) < gpus:
        raise InputError(f"--gpus {gpus:g}: the Ray cluster has {resources.get('GPU', 0):g} GPUs")
    workers = workers or (max(int(resources["GPU"] / gpus), 1) if gpus else len(there))
    each = [m["CPU"] for m in there]
    threads = 1 if gpus else max(int(sum(each) / workers), 1)
    wanted = 1.0 if gpus else max(min(threads, min(each)) / 2, 0.5)
    crowd = -(-workers // max(len(each) - 1, 1))  # networks on one machine when another is lost
    files = min(FILES, min(each) / 4)
    cpus = max(min(wanted, (min(each) - 2 * files) / crowd), 0.01)
    return Share(workers, cpus if abs(cpus - files) > 0.01 else cpus * 0.9, gpus, threads, files)


def answers(plan: Iterable[pa.Table], order: Order, part: Share) -> Iterator[pa.Table]:
    """Rows of ANSWER, in any order, as they come. Raises Ray's exceptions where the cluster fails as a whole."""
    import ray.data

    waiting = ray.data.from_arrow(list(plan))
    told: dict[str, Any] = {"batch_size": None, "batch_format": "pyarrow", "zero_copy_batch": True}
    pictures = waiting.map_batches(read_block, fn_kwargs={"megapixels": order.megapixels}, num_cpus=part.files, **told)
    cut = pictures.map_batches(
        Cutter, fn_constructor_args=(order,), concurrency=part.workers, num_cpus=part.cpus,
        num_gpus=part.gpus, **told
    )  # fmt: skip
    style, strip = order.output.style, order.output.strip
    written = cut.map_batches(
        write_block, fn_kwargs={"results": order.results, "style": style, "strip": strip}, num_cpus=part.files, **told
    )
    yield from written.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)


def of_the_cluster(e: Exception) -> bool:
    """Whether a failure is of machines and processes (one died that Ray took for alive) rather than of what they were
    told to do, which would fail again."""
    import ray.exceptions as of

    told = isinstance(e, (of.RayTaskError, of.UserCodeException)) or "creation task" in str(e)  # e.g. of no network
    return isinstance(e, of.RayError) and not told
