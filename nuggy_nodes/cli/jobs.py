"""Which file becomes which: inputs found, results named, clashes refused before any work."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

MARK = "-cutout"
LONGEST = 255  # bytes of a name, on most file systems
STREAM = Path("-")  # standard input or output
UNREAD = frozenset(  # pictures, of formats that are not read
    f".{s}"
    for s in "svg eps ai pdf ico icns dds exr hdr pcx sgi qoi xcf kra djvu wmf emf".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Job:
    """One photograph and where its result goes; or `error`, why there is nothing to do; or skipped, as it is done."""

    source: Path
    result: Path
    error: str = ""
    skipped: bool = False


@dataclass(frozen=True)
class Place:
    """Where results go. folder: for all of them; file: for the only one; neither: beside each source. suffix: of a
    result's name. existing: "refuse", "overwrite" or "skip" results that exist."""

    folder: Path | None = None
    file: Path | None = None
    suffix: str = ".png"
    existing: str = "refuse"


@dataclass
class Plan:
    """The jobs in order, each source once, and files that are pictures but cannot be read here, by kind."""

    jobs: list[Job] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def told(self) -> str:
        """What was left out, as a sentence; "" for nothing."""
        from ..pictures.formats import EXTRAS

        if not self.left_out:
            return ""
        kinds = [
            f"{count} {kind}" + (f" ({EXTRAS[kind].install})" if kind in EXTRAS else "")
            for kind, count in sorted(self.left_out.items(), key=lambda x: (-x[1], x[0]))
        ]
        total = sum(self.left_out.values())
        return f"{total} file{'s' * (total > 1)} left out: {', '.join(kinds)}"


def plan(paths: Sequence[Path], place: Place, recursive: bool = False) -> Plan:
    """The jobs for the given files and folders.

    In a folder of results: NAME + suffix there, sub-folders kept; beside the source: NAME-cutout + suffix. Two sources
    that would give one result (on a file system that does not tell A from a, too): the later keeps its own suffix in
    the name (a.png.png). Results of an earlier run are not taken up from folders: neither NAME-cutout nor what lies in
    the folder of results. No source is ever overwritten.
    """
    made = Plan()
    sources: dict[Path, None] = {}
    aims: list[Job] = []
    for path in paths:
        for base, source in _find(path, recursive, place.folder, made):
            if isinstance(source, Job):
                aims.append(source)
            elif path == STREAM or _resolved(source) not in sources:
                sources[_resolved(source)] = None
                inside = source.parent.relative_to(base) if place.folder else Path()
                folder = place.folder / inside if place.folder else source.parent
                aims.append(Job(source, folder / (source.stem + ("" if place.folder else MARK))))
    taken: set[str] = set()
    known = set(sources)
    made.jobs = [j if j.error else _name(j, place, taken, known) for j in aims]
    return made


def _name(job: Job, place: Place, taken: set[str], sources: set[Path]) -> Job:
    if place.file is not None:
        result = place.file
    elif job.source == STREAM:
        result = STREAM
    else:
        result = _fitting(job.result.name, place.suffix, job.result)
        if _key(result) in taken:
            stem = job.source.name + ("" if job.result.name == job.source.stem else MARK)
            result = _fitting(stem, place.suffix, job.result)
    taken.add(_key(result))
    if result == STREAM:
        return replace(job, result=result)
    error, skipped = "", False
    if _resolved(result) in sources:
        error = f"{job.source}: its result {result} would replace a photograph; give another folder with -o"
    elif os.path.lexists(result) and place.existing == "skip":
        skipped = True
    elif os.path.lexists(result) and place.existing == "refuse":
        error = f"{job.source}: {result} exists; give --overwrite to replace it, or --skip-existing"
    if job.source != STREAM and not skipped and not os.path.lexists(job.source):
        error = f"{job.source}: no such file"
    return Job(job.source, result, error, skipped)


def _fitting(stem: str, suffix: str, like: Path) -> Path:
    """stem + suffix beside `like`, the stem cut where the name would be too long for a file system."""
    room = LONGEST - len(suffix)
    while len(os.fsencode(stem)) > room:
        stem = stem[:-1]
    return like.with_name(stem + suffix)


def _key(path: Path) -> str:
    return str(_resolved(path)).casefold()


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a link to itself
        return path.absolute()


def _find(path: Path, recursive: bool, results: Path | None, made: Plan) -> Iterator[tuple[Path, Path | Job]]:
    from ..clips.names import SUFFIXES as CLIPS
    from ..pictures.formats import BY_SUFFIX, EXTRAS

    if path == STREAM or not path.is_dir():
        yield path.parent, path
        return
    found, unreadable = False, list[OSError]()
    own = _resolved(results) if results else None
    lacking = {f for f, extra in EXTRAS.items() if find_spec(extra.module) is None}
    for folder, below, files in os.walk(path, onerror=unreadable.append):
        below[:] = sorted(b for b in below if recursive and (own is None or _resolved(Path(folder, b)) != own))
        if own is not None and _resolved(Path(folder)) == own and own != _resolved(path):
            continue
        for name in sorted(files):
            file, suffix = Path(folder, name), Path(name).suffix.lower()
            if file.stem.endswith(MARK) or name.startswith("."):
                continue
            if suffix in UNREAD or suffix in CLIPS:  # hours that nobody asked for: clips are given by name
                made.left_out[suffix[1:].upper()] += 1
            elif suffix in BY_SUFFIX and BY_SUFFIX[suffix] in lacking:
                made.left_out[BY_SUFFIX[suffix]] += 1
            elif suffix in BY_SUFFIX:
                found = True
                yield path, file
    for e in unreadable:
        yield path, Job(Path(e.filename), path, f"{e.filename}: cannot be read: {e.strerror}")
    if not found and not unreadable and not made.left_out:
        more = "" if recursive else " (-r looks below it)"
        yield path, Job(path, path, f"{path}: no pictures in this folder{more}")
