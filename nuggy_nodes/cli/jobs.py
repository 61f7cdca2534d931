"""Which file becomes which: inputs found, results named, clashes refused before any work."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

MARK = "-cutout"


@dataclass(frozen=True)
class Job:
    """One photograph and where its result goes; or `error`, why there is nothing to do."""

    source: Path
    result: Path
    error: str = ""


def plan(paths: Sequence[Path], folder: Path | None, recursive: bool, suffix: str, overwrite: bool) -> list[Job]:
    """The jobs for the given files and folders, in order, each source once.

    With `folder`: NAME + suffix there, sub-folders kept; else NAME-cutout + suffix beside the source. Two sources that
    would give one result: the later keeps its own suffix in the name (a.png.png). Results of an earlier run
    (NAME-cutout) are not taken up from folders, and no source is ever overwritten.
    """
    jobs: list[Job] = []
    sources: dict[Path, None] = {}
    for path in paths:
        found = list(_find(path, recursive))
        jobs += [j for _, j in found if isinstance(j, Job)]
        for base, source in found:
            if isinstance(source, Path) and source.resolve() not in sources:
                sources[source.resolve()] = None
                inside = source.parent.relative_to(base) if folder else Path()
                target = (folder / inside if folder else source.parent) / (source.stem + ("" if folder else MARK))
                jobs.append(Job(source, target))
    taken: set[Path] = set()
    return [j if j.error else _name(j, suffix, taken, set(sources), overwrite) for j in jobs]


def _name(job: Job, suffix: str, taken: set[Path], sources: set[Path], overwrite: bool) -> Job:
    result = job.result.with_name(job.result.name + suffix)
    if result.resolve() in taken:
        result = job.result.with_name(job.source.name + ("" if job.result.name == job.source.stem else MARK) + suffix)
    taken.add(result.resolve())
    error = ""
    if not job.source.exists():
        error = f"{job.source}: no such file"
    elif result.resolve() in sources:
        error = f"{job.source}: its result {result} would replace a photograph; give another folder with -o"
    elif result.exists() and not overwrite:
        error = f"{job.source}: {result} exists; give --overwrite to replace it"
    return Job(job.source, result, error)


def _find(path: Path, recursive: bool) -> Iterator[tuple[Path, Path | Job]]:
    from ..pictures import SUFFIXES

    if not path.is_dir():
        yield path.parent, path
        return
    found = False
    unreadable: list[OSError] = []
    for folder, below, files in os.walk(path, onerror=unreadable.append):
        below.sort()
        if not recursive:
            below.clear()
        for name in sorted(files):
            file = Path(folder, name)
            if file.suffix.lower() in SUFFIXES and not file.stem.endswith(MARK) and not name.startswith("."):
                found = True
                yield path, file
    for e in unreadable:
        yield path, Job(Path(e.filename), path, f"{e.filename}: cannot be read: {e.strerror}")
    if not found and not unreadable:
        yield (
            path,
            Job(path, path, f"{path}: no pictures in this folder" + ("" if recursive else " (-r looks below it)")),
        )
