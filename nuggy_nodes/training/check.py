"""Is the data whole? Every file is opened before a night is spent on it."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ..core.errors import ImageError
from . import files
from .layouts import Pair, Problem, pairs, pictures
from .mix import PAIRED, Mix, MixError, Source


@dataclass
class Report:
    """What one source holds: usable pictures, megapixels from the smallest to the largest, problems. absent: pictures
    to measure on are not there at all, which is no problem before the run."""

    source: Source
    usable: int = 0
    smallest: float = 0.0
    largest: float = 0.0
    absent: bool = False
    problems: list[Problem] = field(default_factory=list)

    def lines(self) -> list[str]:
        name = self.source.name or f"{self.source.layout} {self.source.path or ''}".strip()
        if self.source.layout == "drawn":
            name = self.source.name or "drawn, over " + ", ".join(str(b) for b in self.source.backgrounds)
        if self.absent:
            return [f"{name}: {self.source.path} is not there; a run needs it"]
        size = f", {self.smallest:.2f} to {self.largest:.2f} megapixels" if self.usable else ""
        out = [f"{name}: {self.usable} usable{size}; {len(self.problems)} problems"]
        return out + [f"  {p.path}: {p.what}" for p in self.problems]


def check(mix: Mix, progress: Callable[[int, int], None] | None = None) -> list[Report]:
    """Open every file of every source and of what measures; one report each. A source that is not there at all is a
    problem of its own."""
    reports = []
    measured = [(k, getattr(mix.evaluate, k)) for k in ("dev", "scenes") if mix.evaluate.every]
    sets = [Source("folder", 0, path, name=f"[evaluate] {k}, for measuring only") for k, path in measured if path]
    for source in (*mix.sources, *sets):
        report = Report(source)
        reports.append(report)
        if source in sets and source.path is not None and not source.path.exists():
            report.absent = True
            continue
        jobs: list[Pair | Path] = []
        try:
            if source.layout in PAIRED:
                found, report.problems = pairs(source)
                jobs += found
            elif source.path is not None:
                jobs += pictures(source.path)
            for folder in source.backgrounds:
                jobs += pictures(folder)
        except MixError as e:
            report.problems.append(Problem(source.path or Path(), str(e)))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            sizes = []
            for i, (pixels, problems) in enumerate(pool.map(_look, jobs)):
                if problems:
                    report.problems += problems
                else:
                    sizes.append(pixels / 1e6)
                if progress:
                    progress(i, len(jobs))
        report.usable, report.smallest, report.largest = len(sizes), min(sizes, default=0), max(sizes, default=0)
    return reports


def _look(job: Pair | Path) -> tuple[int, list[Problem]]:
    """Number of pixels of the photograph, and what is wrong with it or its alpha."""
    at = job if isinstance(job, Path) else job.image
    try:
        image = files.colours(at)
        height, width = image.shape[:2]
        if min(height, width) < 32:
            return 0, [Problem(at, f"is {width}x{height}; smaller than anything can be learnt from")]
        if isinstance(job, Path):
            return height * width, []
        at = job.alpha
        alpha = files.plane(at)
        if alpha.shape != image.shape[:2]:
            return 0, [Problem(at, f"is {alpha.shape[1]}x{alpha.shape[0]}, the photograph {width}x{height}")]
        if alpha.max() == alpha.min():
            return 0, [Problem(at, f"is {int(alpha.max())} throughout; a photograph without subject or background")]
        for extra in (job.foreground, job.trimap):
            if extra is not None:
                at = extra
                other = files.colours(at)
                if other.shape != image.shape:
                    return 0, [Problem(at, f"is {other.shape[1]}x{other.shape[0]}, the photograph {width}x{height}")]
                sure = other[..., 0]
                wrong = float((((sure == 255) & (alpha < 128)) | ((sure == 0) & (alpha > 127))).mean())
                if extra == job.trimap and wrong > 0.001:
                    return 0, [Problem(at, f"contradicts the alpha in {wrong:.1%} of the pixels")]
    except ImageError as e:
        return 0, [Problem(at, str(e).removeprefix(f"{at}: "))]
    return height * width, []
