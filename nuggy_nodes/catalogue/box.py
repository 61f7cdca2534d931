"""A photograph packed for the way from one process to the next: columns of an Arrow table, pixels as they are.

One row is one photograph: what is known of it (`ABOUT`, which becomes its row of the manifest) and what is carried:
before the network the picture, behind it the result's pixels.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa

from ..pictures import Picture

ABOUT = pa.schema(
    [
        ("address", pa.string()),  # of the photograph
        ("result", pa.string()),  # name of the result, below the destination
        ("bytes", pa.int64()),  # of the photograph's file; -1: not known before it was read
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("empty", pa.bool_()),  # nothing was found in it
        ("undecided", pa.float32()),  # 0..1: how much of the mask is neither subject nor background
        ("cut_off", pa.float32()),  # 0..1: how much of the frame's border the subject touches
        ("error", pa.string()),  # why there is no result, or null
        ("note", pa.string()),
        ("read_seconds", pa.float32()),
        ("cut_seconds", pa.float32()),
        ("write_seconds", pa.float32()),
        ("node", pa.string()),  # of the network
        ("finished", pa.timestamp("ms", tz="UTC")),
        ("version", pa.string()),  # of Nuggy
        ("settings", pa.string()),  # hash of all that decides over the result
    ]
)
PLAN = pa.schema(
    [
        ("index", pa.int64()),
        ("address", pa.string()),
        ("result", pa.string()),
        ("bytes", pa.int64()),
        ("query", pa.string()),  # said after the address to reach it
        ("table", pa.string()),  # of a photograph that lies in a column: the Parquet file
        ("column", pa.string()),
        ("group", pa.int32()),  # its row group
        ("row", pa.int32()),  # row in that
    ]
)
CARRIED = pa.schema([("pixels", pa.large_binary()), ("alpha", pa.large_binary()), ("icc", pa.large_binary()),
                     ("exif", pa.large_binary()), ("told", pa.string())])  # fmt: skip
INDEX = pa.field("index", pa.int64())
BOXED = pa.schema([INDEX, *ABOUT, *CARRIED])
ANSWER = pa.schema([INDEX, *ABOUT])


def boxed(index: int, about: dict[str, Any], picture: Picture | None) -> pa.Table:
    """One row of BOXED. picture.rgb may be of any shape: of a result it is the result's pixels."""
    carried: dict[str, Any] = {}
    if picture is not None:
        told = {"shape": picture.rgb.shape, "deep": picture.deep, "dpi": picture.dpi, "frames": picture.frames,
                "note": picture.note}  # fmt: skip
        carried = {"pixels": _bytes(picture.rgb), "alpha": None if picture.alpha is None else _bytes(picture.alpha),
                   "icc": picture.icc, "exif": picture.exif, "told": json.dumps(told)}  # fmt: skip
    values = {"index": index, **about, **carried}
    arrays = [_one(values.get(field.name), field.type) for field in BOXED]
    return pa.Table.from_arrays(arrays, schema=BOXED)


def answer(index: int, about: dict[str, Any]) -> pa.Table:
    """One row of ANSWER."""
    return pa.Table.from_arrays([_one({"index": index, **about}.get(f.name), f.type) for f in ANSWER], schema=ANSWER)


def unboxed(row: pa.Table) -> Picture | None:
    """The picture of a table of one row of BOXED; its pixels are not copied, and read-only."""
    told = row["told"][0].as_py()
    if told is None:
        return None
    told = json.loads(told)
    kind, shape = np.uint16 if told["deep"] else np.uint8, told["shape"]
    alpha = row["alpha"][0]
    return Picture(
        np.frombuffer(row["pixels"][0].as_buffer(), kind).reshape(shape),
        np.frombuffer(alpha.as_buffer(), kind).reshape(shape[:2]) if alpha.is_valid else None,
        row["icc"][0].as_py(), tuple(told["dpi"]) if told["dpi"] else None, told["note"], row["exif"][0].as_py(),
        told["frames"],
    )  # fmt: skip


def about_of(row: pa.Table) -> dict[str, Any]:
    """What is known of the one photograph of a row."""
    return {name: row[name][0].as_py() for name in ABOUT.names if name in row.column_names}


def _bytes(pixels: np.ndarray) -> Any:
    return pa.py_buffer(np.ascontiguousarray(pixels))


def _one(value: Any, kind: Any) -> Any:
    if isinstance(value, pa.Buffer):  # without a copy
        ends = pa.py_buffer(np.array([0, value.size], np.int64))
        return pa.Array.from_buffers(kind, 1, [None, ends, value])
    return pa.array([value], kind)
