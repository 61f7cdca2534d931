"""The manifest: one row a photograph, in DEST/nuggy-catalogue/manifest.parquet.

While a run goes on, rows are written every few seconds as parts beside it, each file whole; when it ends, and when the
next one begins, parts become one with the manifest, the latest row of a photograph counting. So whatever is killed, no
row that was written is lost, and none is there twice.
"""

from __future__ import annotations

import hashlib
import io
import time
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..core.errors import InputError
from .box import ABOUT
from .sources import OWN
from .stores import Store, listed, put_own, words

NAME, PARTS = "manifest.parquet", "parts"
EVERY = 5.0  # seconds between two parts
MOST = 2000  # rows of a part


class State:
    """What the manifest says, 25 bytes a photograph: which are done under these settings."""

    def __init__(self, keys: np.ndarray, results: np.ndarray, sizes: np.ndarray, good: np.ndarray):
        order = np.argsort(keys)
        self._keys, self._results, self._sizes = keys[order], results[order], sizes[order]
        self._good = good[order]

    def __len__(self) -> int:
        return len(self._keys)

    def done(self, address: str, result: str, size: int) -> bool:
        """Whether this photograph has its result, of its present size (-1: not known)."""
        key = hashed(address)
        at = int(np.searchsorted(self._keys, key))
        if at == len(self._keys) or self._keys[at] != key or not self._good[at]:
            return False
        return bool(self._results[at] == hashed(result)) and (size < 0 or self._sizes[at] in (size, -1))


class Manifest:
    """The manifest of one destination. One run writes it at a time."""

    def __init__(self, results: Store):
        self.place = results.below(OWN)
        self._run, self._count, self._held, self._last = uuid.uuid4().hex[:12], 0, list[pa.Table](), time.monotonic()

    def exists(self) -> bool:
        """Whether a run has been here."""
        return bool(listed(self.place))

    def begin(self) -> None:
        """Mark the destination as this program's, before the first result. Raises InputError, ImageError."""
        self._merge()
        if not self.exists():
            self._write(self.place.below(NAME), ABOUT.empty_table())

    def state(self, settings: str) -> State:
        """What is done under these settings. Raises InputError."""
        keys, results, sizes, good = [], [], [], []
        for part in self._files():
            for rows in _batches(part, ["address", "result", "bytes", "error", "settings"]):
                keys.append(_hashes(rows["address"]))
                results.append(_hashes(rows["result"]))
                sizes.append(rows["bytes"].fill_null(-1).to_numpy(zero_copy_only=False))
                fine = [
                    e is None and s == settings for e, s in zip(rows["error"].to_pylist(), rows["settings"].to_pylist())
                ]
                good.append(np.array(fine, bool))
        if not keys:
            return State(*(np.zeros(0, t) for t in (np.uint64, np.uint64, np.int64, bool)))
        found = [np.concatenate(x) for x in (keys, results, sizes, good)]
        kept = _latest(found[0])
        return State(*(x[kept] for x in found))

    def add(self, rows: pa.Table) -> None:
        """Rows of photographs that are done; written now or in a few seconds. Raises ImageError."""
        self._held.append(rows.select(ABOUT.names))
        if time.monotonic() - self._last > EVERY or sum(map(len, self._held)) >= MOST:
            self.flush()

    def flush(self) -> None:
        """Write what is held. Raises ImageError."""
        if self._held:
            target = self.place.below(f"{PARTS}/{time.time_ns():020}-{self._run}-{self._count:06}.parquet")
            self._write(target, pa.concat_tables(self._held))
            self._count, self._held = self._count + 1, []
        self._last = time.monotonic()

    def end(self) -> None:
        """Write what is held, and make it one table. Raises InputError, ImageError."""
        self.flush()
        self._merge()

    def rows(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """The manifest's rows, after `end`. Raises InputError."""
        yield from _batches(self.place.below(NAME), columns)

    def _files(self) -> list[Store]:
        """The manifest and its parts, the older first. Raises InputError."""
        there = [self.place.below(i.base_name) for i in listed(self.place) if i.base_name == NAME]
        parts = self.place.below(PARTS)
        return there + [parts.below(i.base_name) for i in listed(parts) if i.base_name.endswith(".parquet")]

    def _merge(self) -> None:
        files = self._files()
        parts = [f for f in files if not f.path.endswith(NAME)]
        if not parts:
            return
        keys = [_hashes(rows["address"]) for f in files for rows in _batches(f, ["address"])]
        kept, at = _latest(np.concatenate(keys)) if keys else np.zeros(0, bool), 0
        out = io.BytesIO()
        with pq.ParquetWriter(out, ABOUT, compression="zstd") as writer:
            for f in files:
                for rows in _batches(f, ABOUT.names):
                    writer.write_batch(rows.filter(pa.array(kept[at : at + len(rows)])).cast(ABOUT))
                    at += len(rows)
        put_own(self.place.below(NAME), out.getvalue())
        for part in parts:
            part.system.delete_file(part.path)

    def _write(self, target: Store, rows: pa.Table) -> None:
        out = io.BytesIO()
        pq.write_table(rows, out, compression="zstd")
        put_own(target, out.getvalue())


def hashed(text: str) -> np.uint64:
    """64 bits of a text: among a million texts two have the same with a chance of 3e-8."""
    return np.uint64(
        int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
    )


def _hashes(column: Any) -> np.ndarray:
    return np.array([hashed(text or "") for text in column.to_pylist()], np.uint64)


def _latest(keys: np.ndarray) -> np.ndarray:
    """Which rows are the last of their key."""
    _, back = np.unique(keys[::-1], return_index=True)
    kept = np.zeros(len(keys), bool)
    kept[len(keys) - 1 - back] = True
    return kept


def _batches(part: Store, columns: list[str]) -> Iterator[pa.RecordBatch]:
    try:
        with part.system.open_input_file(part.path) as f:
            file = pq.ParquetFile(f)
            missing = set(columns) - set(file.schema_arrow.names)
            if missing:
                raise InputError(f"{part.address}: is no manifest of `nuggy catalogue` (it has no "
                                 f"{sorted(missing)[0]!r}); give another destination")  # fmt: skip
            yield from file.iter_batches(columns=columns)
    except InputError:
        raise
    except Exception as e:
        raise InputError(f"{part.address}: the manifest cannot be read: {words(e)}; move it away, and what is "
                         "done will be done again") from None  # fmt: skip
