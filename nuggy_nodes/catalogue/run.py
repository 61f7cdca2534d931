"""A run: what is left of a source goes through the cluster, and every answer into the manifest."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from ..core.errors import InputError, NuggyError
from .box import ABOUT
from .flow import Share, answers, of_the_cluster
from .manifest import Manifest
from .stages import Order
from .tally import Tally

TRIES = 3  # of what got no answer
SETTLE = 20.0  # seconds after which a cluster that failed at once is asked again: it may be about to lose a machine


def settings_hash(order: Order) -> str:
    """16 hexadecimal digits of everything that decides over a result. Raises WeightsError."""
    from ..core.network.checksum import sha256
    from ..core.network.find import resolve
    from ..core.network.weights import default_path

    output, network = order.output, resolve(order.network) if order.network else default_path()
    behind = output.behind
    told = {
        "recipe": {k: str(v) for k, v in dataclasses.asdict(order.recipe).items() if k not in ("name", "views")},
        "views": [str(v) for v in order.recipe.views],
        "output": [output.what, *dataclasses.astuple(output.style), output.strip],
        "behind": behind and [_digest(behind.pixels), behind.alpha is not None and _digest(behind.alpha)],
        "network": [sha256(network), str(order.options), order.precision],
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def _digest(pixels: np.ndarray) -> str:
    return hashlib.sha256(repr(pixels.shape).encode() + np.ascontiguousarray(pixels).tobytes()).hexdigest()


def stream(
    plan: list[pa.Table], order: Order, part: Share, manifest: Manifest | None, tally: Tally,
    say: Callable[[str], None],
) -> list[pa.Table]:  # fmt: skip
    """Every row of the plan to an answer, which is counted and enters the manifest.

    Where a machine dies, Ray does again what it had in hand. What gets no answer all the same (each of its workers
    died) is tried again, one photograph a task, and is then a row with that error.

    Returns:
        The answers, where there is no manifest to take them.

    Raises:
        NuggyError: the cluster fails as a whole, or the manifest cannot be written.
    """
    seen, kept = np.zeros(sum(map(len, plan)), bool), list[pa.Table]()
    left, why = plan, "its worker died each time; the photograph may be the cause, or too little memory"
    for attempt in range(TRIES):
        before = int(seen.sum())
        try:
            for rows in answers(left, order, part):
                fresh = ~seen[rows["index"].to_numpy()]
                seen[rows["index"].to_numpy()] = True
                rows = rows.filter(pa.array(fresh))
                tally.add(rows)
                if manifest is None:
                    kept.append(rows)
                else:
                    manifest.add(rows)
                if tally.stopped:
                    return kept
        except NuggyError:
            raise
        except Exception as e:  # of Ray's there are many kinds
            why = " ".join(str(e).split())[-300:]
            if int(seen.sum()) == before:
                if attempt == TRIES - 1 or not of_the_cluster(e):
                    raise InputError(f"the Ray cluster failed: {why}") from None
                time.sleep(SETTLE)
            say(f"a part of the Ray cluster failed and is done without: {type(e).__name__}")
        left = [t.slice(i, 1) for t in plan for i in range(len(t)) if not seen[t["index"][i].as_py()]]
        if not left:
            return kept
        if attempt == 0:
            say(f"{len(left)} photographs got no answer, as their workers died; they are tried again")
    lost = pa.concat_tables(left)
    rows = _lost(lost, order, why)
    tally.add(rows)
    if manifest is None:
        return [*kept, rows]
    manifest.add(rows)
    return kept


def _lost(left: pa.Table, order: Order, why: str) -> pa.Table:
    """Rows of the manifest for photographs that never got an answer."""
    known = {"address": left["address"], "result": left["result"], "bytes": left["bytes"],
             "error": pa.array([why] * len(left)), "settings": pa.array([order.settings] * len(left))}  # fmt: skip
    columns: list[Any] = [known.get(f.name, pa.nulls(len(left), f.type)) for f in ABOUT]
    return pa.Table.from_arrays([left["index"], *columns], schema=pa.schema([left.schema.field("index"), *ABOUT]))


def refused(rows: list[tuple[str, str]], settings: str) -> pa.Table:
    """Rows of the manifest for photographs that were not begun."""
    values = {"address": [a for a, _ in rows], "error": [e for _, e in rows], "settings": [settings] * len(rows)}
    return pa.Table.from_arrays(
        [pa.array(values[f.name], f.type) if f.name in values else pa.nulls(len(rows), f.type) for f in ABOUT],
        schema=ABOUT,
    )
