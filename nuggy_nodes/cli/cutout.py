"""`nuggy cutout PATH...`: photographs in, cut-outs out."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .jobs import Job, plan
from .settings import add_options, recipe_of

if TYPE_CHECKING:
    from .stream import Stream, Turn
    from .work import Worker

OUTPUTS = ("rgba", "mask", "composite")


def add_parser(commands: Any) -> None:
    p = commands.add_parser(
        "cutout",
        help="cut the subject out of photographs",
        description="Cut the subject out of photographs. NAME.jpg becomes NAME-cutout.png beside it, or NAME.png in "
        "the folder given with -o.",
    )
    p.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="photographs, or folders of them")
    p.add_argument("-o", "--output-dir", type=Path, metavar="DIR", help="folder for the results (made if missing)")
    p.add_argument("-r", "--recursive", action="store_true", help="look into sub-folders too")
    p.add_argument("--output", choices=OUTPUTS, default="rgba", help="what to write: a picture with transparency "
                   "(rgba, default), the mask, or the subject over --background (composite)")  # fmt: skip
    p.add_argument("--background", metavar="COLOUR|IMAGE", help="for a composite: a colour (white, #30a0ff, "
                   "'rgb(0,128,0)') or a picture, which is scaled to fill the frame (default: white)")  # fmt: skip
    p.add_argument("--format", choices=("png", "webp", "tiff"), default="png", help="file format (default: png)")
    p.add_argument("--overwrite", action="store_true", help="replace results that exist")
    p.add_argument("--json", action="store_true", help="print what was done as one JSON object")
    p.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")
    p.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16", "float16"),
                   help="arithmetic of the network (default: what the device does well)")  # fmt: skip
    p.add_argument(
        "--weights", type=Path, metavar="FILE", help="other weights than the default (.safetensors, .pth, .onnx)"
    )
    add_options(p)
    p.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from .. import process

    recipe = recipe_of(args)  # before anything heavy is imported
    process.keep_freed_memory()
    process.keep_to_quota()
    from ..core import choose_device, choose_precision
    from ..pictures import FORMATS
    from .work import Worker, background, warm_imports

    warm_imports()
    process.interrupts_end(at_once=False)
    device = choose_device(args.device)
    dtype = choose_precision(device, args.precision)
    behind = background(args.background) if args.background or args.output == "composite" else None
    jobs = plan(args.paths, args.output_dir, args.recursive, FORMATS[args.format], args.overwrite)
    worker = Worker(args, recipe, device, dtype, behind)
    terminal = sys.stderr.isatty()
    show = not args.json and (terminal or len(jobs) > 1)
    results = _all(jobs, worker, show, terminal)
    failed = sum("error" in r for r in results)
    if args.json:
        about = {"recipe": recipe.name, "device": str(device), "precision": str(dtype).removeprefix("torch.")}
        print(
            json.dumps(
                {"images": results, "done": len(results) - failed, "failed": failed, **about}, ensure_ascii=False
            )
        )
    elif failed and len(results) > 1:
        print(f"nuggy: {len(results) - failed} done, {failed} failed", file=sys.stderr)
    return 1 if failed else 0


def _all(jobs: list[Job], worker: Worker, show: bool, terminal: bool) -> list[dict[str, Any]]:
    """An entry for each job, with a progress bar on standard error where it is to be shown."""
    from .stream import Stream

    entries: list[dict[str, Any]] = []
    before: Turn | None = None
    with _bar(len(jobs), show) as bar:

        def report(job: Job) -> Callable[[str, float], None]:
            base = len(entries) + (before is not None)
            bar.set_postfix_str(f"{base + 1}/{len(jobs)} {job.source.name}", refresh=True)
            return lambda stage, share: bar.update(base + 0.98 * share - bar.n)

        def say(text: str) -> None:
            bar.write(text, file=sys.stderr)

        stream = Stream(worker, jobs)
        for turn in stream.turns(report):
            if before:
                entries.append(_finish(stream, before, say, terminal))
            before = turn
        if before:
            entries.append(_finish(stream, before, say, terminal))
            bar.update(len(entries) - bar.n)
    return entries


def _bar(total: int, show: bool) -> Any:
    from tqdm import tqdm

    form = "{percentage:3.0f}% |{bar}| {postfix} [{elapsed}<{remaining}]"
    return tqdm(total=float(total), bar_format=form, file=sys.stderr, dynamic_ncols=True, disable=not show)


def _finish(stream: Stream, turn: Turn, say: Callable[[str], None], terminal: bool) -> dict[str, Any]:
    """What one job came to; a failure is a line on standard error and an entry, and the rest goes on."""
    from ..core.errors import NuggyError

    job = turn.job
    entry: dict[str, Any] = {"input": str(job.source)}
    try:
        entry |= stream.finish(turn)
        if entry.get("note"):
            say(f"nuggy: {job.source}: {entry['note']}")
        if terminal:
            say(f"{job.source} -> {job.result}")
    except NuggyError as e:
        entry["error"] = str(e)
        say(f"nuggy: {e}")
    except (MemoryError, RuntimeError) as e:
        from ..core.network.device import out_of_memory

        if not isinstance(e, MemoryError) and not out_of_memory(e):
            raise
        entry["error"] = f"{job.source}: out of memory; free some, or use --device cpu"
        say(f"nuggy: {entry['error']}")
    entry["total_seconds"] = round(time.perf_counter() - turn.started, 4)
    return entry
