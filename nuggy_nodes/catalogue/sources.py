"""What photographs there are: below a folder or a bucket's prefix, or in a column of a Parquet or CSV file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from ..cli.jobs import MARK, UNREAD
from ..clips.names import SUFFIXES as CLIPS
from ..core.errors import InputError
from ..pictures.formats import BY_SUFFIX, EXTRAS
from .stores import SCHEME, Store, listed, store, words

COLUMNS = ("address", "url", "uri", "path", "file", "image", "bytes", "content", "data")  # looked for, in this order
TABLES = (".parquet", ".pq", ".csv")
OWN = "nuggy-catalogue"  # the folder in the destination in which the manifest lies


@dataclass(frozen=True)
class Photograph:
    """One photograph of a source.

    name: by which its result is named, parts joined by /. bytes: of its file, -1 where that is not known. query: said
    after the address to reach it, and in no manifest, for it may hold keys. table, column, group, row: where it lies,
    if its bytes are in a column.
    """

    address: str
    name: str
    bytes: int = -1
    query: str = ""
    table: str = ""
    column: str = ""
    group: int = 0
    row: int = 0


class Source:
    """The photographs of one address, in a fixed order: iterate it. left_out: files of kinds that are not read."""

    def __init__(self, address: str, column: str | None = None, results: Store | None = None):
        """column: of a table, the one with addresses or bytes. results: the destination, which is left out where it
        lies below. Raises InputError."""
        self.place, self.left_out, self._results = store(address), Counter[str](), results
        self._tables = _tables(self.place, column)
        self._column = column
        if not self._tables and not self._is_folder():
            raise InputError(f"{address}: there is no such folder; a folder, a bucket, or a table "
                             f"({', '.join(TABLES)}) of addresses or bytes is needed")  # fmt: skip

    def __iter__(self) -> Iterator[Photograph]:
        """Raises InputError for what cannot be listed."""
        if not self._tables:
            yield from self._below(self.place, "")
        for table in self._tables:
            yield from (
                _csv(table, self._column) if table.path.lower().endswith(".csv") else _parquet(table, self._column)
            )

    def _is_folder(self) -> bool:
        try:
            info = self.place.system.get_file_info(self.place.path)
        except Exception as e:
            raise InputError(f"{self.place.address}: cannot be listed: {words(e)}") from None
        kinds = type(info.type)
        if info.type == kinds.File:
            raise InputError(f"{self.place.address}: is a file, and no table ({', '.join(TABLES)}); `nuggy cutout` "
                             "takes single photographs")  # fmt: skip
        return bool(info.type == kinds.Directory)

    def _below(self, folder: Store, inside: str) -> Iterator[Photograph]:
        """By name: a folder's files, then what lies in its folders."""
        found = listed(folder)
        lacking = {f for f, extra in EXTRAS.items() if find_spec(extra.module) is None}
        for info in found:
            name, suffix = info.base_name, "." + info.extension.lower()
            if not info.is_file or name.startswith(".") or name.removesuffix(f".{info.extension}").endswith(MARK):
                continue
            if suffix in UNREAD or suffix in CLIPS:
                self.left_out[suffix[1:].upper()] += 1
            elif suffix in BY_SUFFIX and BY_SUFFIX[suffix] in lacking:
                self.left_out[BY_SUFFIX[suffix]] += 1
            elif suffix in BY_SUFFIX:
                yield Photograph(
                    folder.below(name).address, inside + name, -1 if info.size is None else info.size, folder.query
                )
        for info in found:
            below = folder.below(info.base_name)
            if folder.local and os.path.islink(below.path):  # as `nuggy cutout`: it may lead to where we are
                continue
            ours = self._results is not None and below.address.rstrip("/") == self._results.address.rstrip("/")
            if not info.is_file and not info.base_name.startswith(".") and info.base_name != OWN and not ours:
                yield from self._below(below, f"{inside}{info.base_name}/")


def _tables(place: Store, column: str | None) -> list[Store]:
    if place.path.lower().endswith(TABLES):
        return [place]
    if column is None:
        return []
    return [place.below(i.base_name) for i in listed(place) if i.is_file and i.path.lower().endswith(TABLES)]


def _parquet(table: Store, column: str | None) -> Iterator[Photograph]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(table.system.open_input_file(table.path))
    except Exception as e:
        raise InputError(f"{table.address}: is no Parquet file that can be read: {words(e)}") from None
    schema = file.schema_arrow
    chosen = _chosen(table, schema.names, column)
    named = "name" if "name" in schema.names and chosen != "name" else None
    kind = schema.field(chosen).type
    inner = chosen
    if pa.types.is_struct(kind):
        inner, kind = f"{chosen}.bytes", kind.field("bytes").type if kind.get_field_index("bytes") >= 0 else pa.null()
    held = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    if not held and not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise InputError(f"{table.address}: column {chosen!r} holds {schema.field(chosen).type}; addresses or bytes "
                         "are needed")  # fmt: skip
    stem, at = table.path.rpartition("/")[2].rpartition(".")[0], 0
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if held:
            names = file.read_row_group(group, [named])[named].to_pylist() if named else [None] * rows
            for row, name in enumerate(names):
                yield Photograph(f"{table.address}#{at + row}", name or f"{stem}-{at + row:08}", table=table.address,
                                 query=table.query, column=inner, group=group, row=row)  # fmt: skip
        else:
            columns = [chosen, named] if named else [chosen]
            for part in file.iter_batches(row_groups=[group], columns=columns):
                yield from _addressed(table, part[chosen].to_pylist(), part[named].to_pylist() if named else None)
        at += rows


def _csv(table: Store, column: str | None) -> Iterator[Photograph]:
    import pyarrow.csv as csv

    try:
        with csv.open_csv(table.system.open_input_stream(table.path)) as reader:
            chosen = _chosen(table, reader.schema.names, column)
            named = "name" in reader.schema.names and chosen != "name"
            for part in reader:
                yield from _addressed(
                    table,
                    part[chosen].cast("string").to_pylist(),
                    part["name"].cast("string").to_pylist() if named else None,
                )
    except InputError:
        raise
    except Exception as e:
        raise InputError(f"{table.address}: is no CSV file that can be read: {words(e)}") from None


def _addressed(table: Store, addresses: list[str | None], names: list[str | None] | None) -> Iterator[Photograph]:
    folder = table.address.rpartition("/")[0]
    for i, written in enumerate(addresses):
        if not written:
            continue
        path, alone = SCHEME.sub("", written).split("?")[0], bool(SCHEME.match(written)) or written.startswith("/")
        name = (names[i] if names else None) or path.lstrip("/")
        yield Photograph(written, name) if alone else Photograph(f"{folder}/{written}", name, query=table.query)


def _chosen(table: Store, names: list[str], column: str | None) -> Any:
    for name in [column] if column else COLUMNS:
        if name in names:
            return name
    wanted = repr(column) if column else "with addresses or bytes that is known by its name"
    raise InputError(f"{table.address}: there is no column {wanted}; there are {', '.join(names)} (--column)")
