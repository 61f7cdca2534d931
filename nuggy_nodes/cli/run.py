"""All the jobs of a call: done in order, each told, and none that ends the others."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import NuggyError
from .jobs import Job, Plan

if TYPE_CHECKING:
    from ..core import Recipe
    from .guidance import Said
    from .opening import Opening
    from .stream import Stream, Turn
    from .work import Output, Worker

ISSUES = "https://github.com/Youl-AI/Nuggy/issues"


def do_all(args: argparse.Namespace, recipe: Recipe, output: Output, todo: Plan, said: Said, opening: Opening) -> int:
    """Cut out what is planned; returns the exit status. Raises NuggyError for what concerns all of them."""
    from .work import Engine, Worker

    skipped = [j for j in todo.jobs if j.skipped]
    jobs = [j for j in todo.jobs if not j.skipped]
    results: list[dict[str, Any]] = []
    try:
        if any(not j.error for j in jobs):  # told once, before the first photograph is read
            engine = Engine(opening.network(), recipe, opening.device, said)
            _each(jobs, Worker(engine, output, args.max_megapixels), results)
        else:
            for job in jobs:
                say(job.error)
                results.append({"input": str(job.source), "error": job.error})
    finally:
        failed = sum("error" in r for r in results)
        if args.json:
            about = {"recipe": recipe.name} | opening.told()
            told = {"images": results, "done": len(results) - failed, "failed": failed, "skipped": len(skipped)}
            if todo.left_out:
                told["left_out"] = dict(todo.left_out)
            _print_json(told | about)
    if not args.json and failed and len(results) > 1:
        say(f"{len(results) - failed} done, {failed} failed")
    return int(bool(failed) or (args.fail_empty and any(r.get("empty") for r in results)))


def _each(jobs: list[Job], worker: Worker, entries: list[dict[str, Any]]) -> None:
    """An entry for each job, with a progress bar on standard error where that is a terminal."""
    from tqdm import tqdm

    from .stream import Stream

    terminal = sys.stderr.isatty()
    before: Turn | None = None
    form = "{percentage:3.0f}% |{bar}| {postfix} [{elapsed}<{remaining}]"
    total = float(len(jobs))
    with tqdm(total=total, bar_format=form, file=sys.stderr, dynamic_ncols=True, disable=not terminal) as bar:

        def report(job: Job) -> Callable[[str, float], None]:
            base = len(entries) + (before is not None)
            bar.set_postfix_str(f"{base + 1}/{len(jobs)} {shown(job.source.name)}", refresh=True)

            def tell_share(stage: str, share: float) -> None:
                settle()
                bar.update(base + 0.98 * share - bar.n)

            return tell_share

        def settle(*, wait: bool = False) -> None:
            """Write the result before the one under way, as soon as it is encoded."""
            nonlocal before
            if before and (wait or before.ready()):
                turn, before = before, None
                entries.append(_finish(stream, turn, tell, terminal))

        def tell(text: str) -> None:
            with tqdm.external_write_mode(file=sys.stderr):
                say(text)

        stream = Stream(worker, jobs)
        try:
            for turn in stream.turns(report):
                settle(wait=True)
                before = turn
        except KeyboardInterrupt:
            settle(wait=True)  # what was cut out is not lost
            raise
        settle(wait=True)
        bar.update(len(entries) - bar.n)


def _finish(stream: Stream, turn: Turn, tell: Callable[[str], None], terminal: bool) -> dict[str, Any]:
    """What one job came to; a failure of any kind is a line on standard error and an entry, and the rest goes on."""
    job = turn.job
    entry: dict[str, Any] = {"input": str(job.source)}
    try:
        entry |= stream.finish(turn)
        if entry.get("note"):
            tell(f"{job.source}: {entry['note']}")
        elif terminal:
            tell(f"{job.source} -> {job.result}")
    except Exception as e:
        entry["error"] = why(e, job)
        tell(entry["error"])
    entry["total_seconds"] = round(time.perf_counter() - turn.started, 4)
    return entry


def why(e: Exception, job: Job) -> str:
    """What made a job fail, as a sentence that names its file."""
    if isinstance(e, NuggyError):
        told = str(e)
        return told if str(job.source) in told else f"{job.source}: {told}"
    if out_of_memory(e):
        return f"{job.source}: out of memory; free some, or use --device cpu, or a smaller photograph"
    return f"{job.source}: {fault(e)}"


def out_of_memory(e: BaseException) -> bool:
    """Whether memory has run out; asks torch only where that is imported anyway."""
    if "torch" not in sys.modules:
        return isinstance(e, MemoryError)
    from ..core.network import device

    return device.out_of_memory(e)


def fault(e: BaseException) -> str:
    """A bug as a sentence: what, where, and whom to tell."""
    what, at = (str(e).splitlines() or [""])[0][:200], e.__traceback__
    while at and at.tb_next:
        at = at.tb_next
    where = f" in {Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}" if at else ""
    return f"a fault of Nuggy's own ({type(e).__name__}: {what}{where}); please report it at {ISSUES}"


def say(text: str) -> None:
    """A line on standard error."""
    print(f"nuggy: {shown(text)}", file=sys.stderr)


def shown(text: str) -> str:
    """A text as one line, and on a terminal without anything that would steer it."""
    if not sys.stderr.isatty():
        return "".join(repr(c)[1:-1] if len(f"{c}.".splitlines()) > 1 else c for c in text)
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _print_json(told: dict[str, Any]) -> None:
    text = json.dumps(told, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # a file's name that is no text
        text = json.dumps(told)
    print(text)
