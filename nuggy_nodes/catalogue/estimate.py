"""How long a million photographs take, from ten of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from ..core.errors import InputError
from .flow import Share

SAMPLE = 10


def sample(plan: Sequence[pa.Table]) -> list[pa.Table]:
    """Ten rows of a plan, evenly spaced, a block each, numbered anew."""
    total = sum(map(len, plan))
    count = min(SAMPLE, total)
    wanted = [round(i * (total - 1) / max(count - 1, 1)) for i in range(count)]
    found, at = [], 0
    for table in plan:
        found += [table.slice(i - at, 1) for i in wanted if at <= i < at + len(table)]
        at += len(table)
    return [t.set_column(0, "index", pa.array([i], pa.int64())) for i, t in enumerate(found)]


def estimate(answers: Sequence[pa.Table], total: int, part: Share, cpus: float, price: float | None) -> dict[str, Any]:
    """Hours for `total` photographs from the answers of some.

    Args:
        answers: tables of box.ANSWER.
        total: photographs that are to be done.
        part: how the cluster is shared out; cpus: how many cores it has.
        price: of the whole cluster, an hour.

    Returns:
        seconds_each by stage, hours, a_second, bottleneck (network, or files: reading and writing), cost. Beside a GPU
        the slower of network and files decides; on CPUs both take the same cores, and their times add up.

    Raises:
        InputError: not one of them could be cut out.
    """
    rows = [r for t in answers for r in t.to_pylist()]
    good = [r for r in rows if r["error"] is None]
    if not good:
        first = rows[0] if rows else {"address": "nothing", "error": "got no answer"}
        raise InputError(f"none of {len(rows)} photographs could be cut out; {first['address']}: {first['error']}")
    each = {s: sum(r[f"{s}_seconds"] or 0 for r in good) / len(good) for s in ("read", "cut", "write")}
    network, files = each["cut"] / part.workers, (each["read"] + each["write"]) / max(cpus, 1)
    one = max(network, files) if part.gpus else network + files
    hours = total * one / 3600
    told: dict[str, Any] = {
        "seconds_each": {k: round(v, 4) for k, v in each.items()}, "hours": round(hours, 6),
        "a_second": round(1 / one, 3), "bottleneck": "network" if network >= files else "files",
        "failed_of_sample": len(rows) - len(good), "sample": len(rows),
    }  # fmt: skip
    return told | ({} if price is None else {"cost": round(hours * price, 2)})
