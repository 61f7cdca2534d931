"""What is done to a block of photographs: read (a task), cut out (an actor that holds the network), written (a task).

A photograph that cannot be read, cut out or written is a row with its error; only what concerns all of them is raised.
"""

from __future__ import annotations

import datetime
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from .. import __version__, process
from ..core.errors import ImageError
from ..pictures import Picture, Style, encode, read
from ..pictures.picture import both
from .box import about_of, answer, boxed, unboxed
from .stores import Store, get, put, store, words

if TYPE_CHECKING:
    from ..cli.work import Output
    from ..core import Recipe
    from ..core.network.description import Options


@dataclass(frozen=True)
class Order:
    """What all photographs of a run are to become. results: the destination's address; "" writes nothing. settings:
    hash of what decides over a result. threads: of an actor's network on a CPU."""

    recipe: Recipe
    output: Output
    results: str
    settings: str
    megapixels: float
    network: str | None
    options: Options
    device: str
    precision: str
    threads: int


def read_block(block: pa.Table, megapixels: float) -> Iterator[pa.Table]:
    """Rows of PLAN to rows of BOXED with their pictures."""
    for row, data, started in _stored(block):
        about = {"address": row["address"], "result": row["result"], "bytes": row["bytes"]}
        picture, path = None, Path(row["address"])
        try:
            if isinstance(data, Exception):
                raise data
            about["bytes"] = len(data)
            picture = read(path, megapixels=megapixels, data=data)
            about |= {"height": picture.rgb.shape[0], "width": picture.rgb.shape[1]}
        except Exception as e:
            about["error"] = _why(e, path)
        yield boxed(row["index"], about | {"read_seconds": time.perf_counter() - started}, picture)


def _stored(block: pa.Table) -> Iterator[tuple[dict[str, Any], Any, float]]:
    """Each row of PLAN, its file's bytes or why they cannot be had, and when their reading began."""
    rows = block.to_pylist()
    if rows and rows[0]["table"]:
        yield from _of_column(rows)
        return
    for row in rows:
        started = time.perf_counter()
        try:
            data: Any = get(_place(row["address"], row["query"]))
        except Exception as e:
            data = e
        yield row, data, started


def _of_column(rows: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Any, float]]:
    """Rows of one row group, which is read through once."""
    import pyarrow.parquet as pq

    started, wanted, at = time.perf_counter(), {row["row"]: row for row in rows}, 0
    place, column = _place(rows[0]["table"], rows[0]["query"]), rows[0]["column"]
    try:
        with place.system.open_input_file(place.path) as f:
            parts = pq.ParquetFile(f).iter_batches(8, row_groups=[rows[0]["group"]], columns=[column])
            for part in parts:
                values = part.column(0)
                if pa.types.is_struct(values.type):
                    values = values.field("bytes")
                for i, value in enumerate(values):
                    if at + i in wanted:
                        data = value.as_py()
                        yield wanted.pop(at + i), data or ImageError("the file is empty"), started
                        started = time.perf_counter()
                at += len(values)
    except (OSError, pa.ArrowException) as e:
        for row in wanted.values():
            yield row, ImageError(words(e)), started


class Cutter:
    """An actor: one network, one photograph at a time."""

    def __init__(self, order: Order):
        """Opens the network. Raises NuggyError."""
        import torch

        from ..cli.network import TORCH
        from ..cli.work import Engine, warm_imports
        from ..core import choose_device, choose_precision
        from ..core.network.find import open_network
        from .doubtful import Watching

        torch.set_num_threads(order.threads)
        process.keep_freed_memory()
        warm_imports()
        device = choose_device(TORCH.get(order.device, order.device))
        dtype = choose_precision(device, order.precision)
        network = open_network(order.network, device, dtype, provider=order.device, options=order.options)
        self._order, self._node = order, platform.node()
        self._worker = Watching(Engine(network, order.recipe, device), order.output, order.megapixels)
        self._cut("warm-up", Picture(np.full((64, 64, 3), 99, np.uint8)))

    def __call__(self, block: pa.Table) -> Iterator[pa.Table]:
        """Rows of BOXED, pictures to results."""
        for i in range(len(block)):
            row = block.slice(i, 1)
            about, picture = about_of(row), unboxed(row)
            about |= {"node": self._node, "version": __version__, "settings": self._order.settings}
            if picture is not None:
                started = time.perf_counter()
                try:
                    picture.rgb, told = self._cut(about["address"], picture)
                    picture.alpha = None
                    about |= told
                except Exception as e:
                    about["error"], picture = _why(e, Path(about["address"])), None
                about["cut_seconds"] = time.perf_counter() - started
            yield boxed(row["index"][0].as_py(), about, picture)

    def _cut(self, address: str, picture: Picture) -> tuple[np.ndarray, dict[str, Any]]:
        from ..cli.jobs import Job

        frames = picture.frames
        made, told = self._worker.cut(Job(Path(address), Path("result")), picture)
        note = both(told.get("note", ""), f"only the first of its {frames} frames is used" if frames > 1 else "")
        return made[0], {"empty": bool(told.get("empty")), "note": note or None} | self._worker.seen


def write_block(block: pa.Table, results: str, style: Style, strip: bool) -> Iterator[pa.Table]:
    """Rows of BOXED with results to rows of ANSWER, the files written; results: "" writes none."""
    for i in range(len(block)):
        row, started = block.slice(i, 1), time.perf_counter()
        about, picture = about_of(row), unboxed(row)
        if picture is not None:
            try:
                data = encode(picture.rgb, style, picture.icc, picture.dpi, None if strip else picture.exif)
                if results:
                    put(store(results).below(about["result"]), data)
            except Exception as e:
                about["error"] = _why(e, Path(about["address"]))
        about["finished"] = datetime.datetime.now(datetime.timezone.utc)
        yield answer(row["index"][0].as_py(), about | {"write_seconds": time.perf_counter() - started})


def _place(address: str, query: str) -> Store:
    return store(f"{address}?{query}" if query else address)


def _why(e: Exception, path: Path) -> str:
    """What is the matter with one photograph, without its address."""
    from ..cli.jobs import Job
    from ..cli.run import why

    return why(e, Job(path, path)).removeprefix(f"{path}: ")
