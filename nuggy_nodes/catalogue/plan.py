"""What is to be done: a result's name for every photograph, and those left out whose results are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import PurePosixPath

import pyarrow as pa

from ..cli.jobs import LONGEST
from ..core.errors import InputError
from .box import PLAN
from .manifest import State, hashed
from .sources import OWN, Photograph, Source
from .stores import Store, listed

BLOCK = 64  # photographs that one task reads, at the most


class Plan:
    """The photographs of a source that are to be done, in blocks of rows of PLAN. counts: what was found."""

    def __init__(self, source: Source, results: Store, suffix: str, state: State):
        self.counts: Counter[str] = Counter()
        self.refused: list[tuple[str, str]] = []  # addresses that get no result, and why
        self._source, self._results, self._suffix, self._state = source, results, suffix, state
        self._taken: set[int] = set()
        self._seen: set[int] = set()
        self._there = lru_cache(maxsize=256)(self._listed)

    def rows(self) -> Iterator[tuple[Photograph, str]]:
        """Photographs without a result, and what theirs is to be called. Raises InputError."""
        for photograph in self._source:
            key = int(hashed(photograph.address))
            if key in self._seen:
                self.counts["twice"] += 1
                continue
            self._seen.add(key)
            self.counts["found"] += 1
            try:
                result = self._named(photograph.name)
            except InputError as e:
                self.refused.append((photograph.address, str(e)))
                continue
            if self._state.done(photograph.address, result, photograph.bytes):
                folder, _, name = result.rpartition("/")
                if int(hashed(name)) in self._there(folder):
                    self.counts["done"] += 1
                    continue
                self.counts["missing"] += 1
            yield photograph, result

    def _named(self, name: str) -> str:
        """As `nuggy cutout -o` names: the suffix replaced; kept where that name is taken, in whatever case."""
        path = PurePosixPath(name)
        parts = [p for p in path.parts if p not in ("/", ".")]
        if not parts or ".." in parts or "\0" in name or parts[0] == OWN:
            raise InputError(f"its name {name!r} leads out of the destination; give another in a column called name")
        folder = "/".join(parts[:-1])
        for stem in (PurePosixPath(parts[-1]).stem, parts[-1], *(f"{parts[-1]}-{n}" for n in range(2, 10000))):
            while len(stem.encode()) > LONGEST - len(self._suffix):
                stem = stem[:-1]
            result = (f"{folder}/" if folder else "") + stem + self._suffix
            key = int(hashed(result.casefold()))
            if key not in self._taken:
                self._taken.add(key)
                return result
        raise InputError(f"ten thousand photographs are called {name!r}; give names in a column called name")

    def _listed(self, folder: str) -> frozenset[int]:
        """Hashes of the names of what is in a folder of results."""
        place = self._results.below(folder) if folder else self._results
        return frozenset(int(hashed(i.base_name)) for i in listed(place) if i.is_file)


def blocks(rows: Iterable[tuple[Photograph, str]], most: int) -> Iterator[pa.Table]:
    """Tables of PLAN, of at most `most` rows; photographs of a column in blocks of their row group, which is read
    once."""
    held: list[tuple[Photograph, str]] = []
    index = 0

    def made() -> pa.Table:
        known = {"index": range(index, index + len(held)), "result": [result for _, result in held]}
        columns = [known.get(f.name) or [getattr(p, f.name) for p, _ in held] for f in PLAN]
        return pa.Table.from_arrays([pa.array(c, f.type) for c, f in zip(columns, PLAN)], schema=PLAN)

    for photograph, result in rows:
        if held:
            first = held[0][0]
            other = (first.table, first.group) != (photograph.table, photograph.group)
            if other or (not photograph.table and len(held) >= most):
                yield made()
                index += len(held)
                held = []
        held.append((photograph, result))
    if held:
        yield made()


def spread(tables: Sequence[pa.Table], least: int) -> list[pa.Table]:
    """The same rows in smaller blocks where there are too few for all to have work at once."""
    most = max(sum(map(len, tables)) // least, 1)
    return [t.slice(at, most) for t in tables for at in range(0, len(t), most)]
