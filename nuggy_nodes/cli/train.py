"""`nuggy train check|sheet|run|export`: fine-tuning; train_small.py has the small networks.

Imports nuggy_nodes/training when one of them runs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import train_small

if TYPE_CHECKING:
    from ..training.check import Report
    from ..training.mix import Mix


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("train", help="fine-tune the network on data sets, drawings and photographs")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    p = actions.add_parser("check", help="open every file of a mix and report what is missing or broken")
    _mix(p)
    p.set_defaults(run=_check)

    p = actions.add_parser("sheet", help="write a contact sheet of training scenes")
    _mix(p)
    p.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.png")
    p.add_argument("--count", type=int, default=24, help="scenes on it (default: 24)")
    p.add_argument("--first", type=int, default=0, help="number of the first draw (default: 0)")
    p.add_argument("--size", type=int, default=0, help="side of the scenes in pixels (default: the mix's)")
    p.add_argument(
        "--teacher", type=Path, metavar="DIR", help="where the teacher's answers are kept (a run's teacher/)"
    )
    p.set_defaults(run=_sheet)

    p = actions.add_parser(
        "run",
        help="train, or go on with a run that was stopped",
        description="Trains in a folder and goes on where it stopped when called again with the same mix and folder. "
        "Opens every file of the mix before the first step. Ctrl-C stops after the step under way and saves.",
    )
    _mix(p)
    p.add_argument("-o", "--output", type=Path, required=True, metavar="RUN", help="the run's folder (made if missing)")
    p.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")
    p.add_argument("--minutes", type=float, metavar="N", help="save and stop after N minutes; call again to go on")
    p.add_argument(
        "--unchecked", action="store_true", help="do not open every file first, or train in spite of what was found"
    )
    p.set_defaults(run=_run)

    p = actions.add_parser("export", help="store a run's best weights in 8 bits, with a model card beside them")
    p.add_argument("folder", type=Path, metavar="RUN")
    p.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.safetensors")
    p.add_argument("--name", default="", help="title of the card (default: the file's name)")
    p.add_argument("--last", action="store_true", help="the average weights of the last save, better or not")
    p.add_argument(
        "--share",
        type=float,
        default=1.0,
        metavar="N",
        help="how far to go from the weights it started from to those it learnt, 0 to 1 (default: 1)",
    )
    p.add_argument("--start", type=Path, metavar="FILE",
                   help="for --share: the weights it started from (default: the default weights)")  # fmt: skip
    p.add_argument("--overwrite", action="store_true", help="replace an existing output file")
    p.set_defaults(run=_export)

    train_small.add_parsers(actions)


def _mix(p: argparse.ArgumentParser) -> None:
    p.add_argument("mix", type=Path, metavar="MIX.toml", help="sources and their weights (docs/training.md)")
    p.add_argument(
        "--data", type=Path, metavar="DIR", help="what the mix's paths are relative to (default: its folder)"
    )


def _read(args: argparse.Namespace) -> Mix:
    try:
        from ..training.mix import read_mix
    except ImportError as e:
        raise train_small.not_whole(e) from e
    return read_mix(args.mix, args.data)


def _sheet(args: argparse.Namespace) -> int:
    import io

    mix = _read(args)
    from ..core import choose_device
    from ..pictures import write
    from ..training.draw import Draws, photographs
    from ..training.progress import shown
    from ..training.sheet import contact_sheet
    from ..training.teacher import teach

    device, out = choose_device(), io.BytesIO()
    with shown("teacher", "photo", sys.stderr.isatty()) as progress:
        answers = args.teacher or args.output.parent / "teacher"
        teaching = teach(photographs(mix), mix.teacher, device, answers, progress)
    with shown("painting", "scene", sys.stderr.isatty()) as progress:
        sheet = contact_sheet(Draws(mix, teaching, args.size), args.first, args.count, device, progress)
    sheet.save(out, "png")
    write(args.output, out.getvalue(), overwrite=True)
    return 0


def _run(args: argparse.Namespace) -> int:
    import time

    ends = time.monotonic() + 60 * args.minutes if args.minutes else float("inf")
    mix = _read(args)
    from ..core import choose_device
    from ..core.errors import NuggyError
    from ..process import keep_freed_memory
    from ..training.loop import Trainer

    if not args.unchecked and not (args.output / "state.safetensors").exists():
        damaged = [r for r in _reports(mix) if r.problems]
        for report in damaged:
            print("\n".join(report.lines()), file=sys.stderr)
        if damaged:
            raise NuggyError("the data is not whole; mend it, take those files out, or give --unchecked")
    keep_freed_memory()
    trainer = Trainer(mix, args.output, choose_device(args.device), progress=True)
    finished = trainer.train(lambda: time.monotonic() > ends)
    kept = "better weights than at the start are kept" if trainer.judge.kept else "none better than at the start"
    more = "" if finished else "; run again to go on"
    print(f"{args.output}: step {trainer.step} of {mix.run.steps}, {kept}{more}")
    return 130 if trainer.stop.wanted else 0


def _export(args: argparse.Namespace) -> int:
    from ..core.errors import NuggyError
    from ..training.export import export

    if args.output.suffix != ".safetensors":
        raise NuggyError(f"{args.output}: weights are stored as .safetensors")
    if args.output.exists() and not args.overwrite:
        raise NuggyError(f"{args.output}: exists; give --overwrite or another --output")
    print(f"{args.output}, {export(args.folder, args.output, args.name, args.last, args.share, args.start)}")
    return 0


def _reports(mix: Mix) -> list[Report]:
    from ..training.check import check
    from ..training.progress import shown

    with shown("checking", "file", sys.stderr.isatty()) as progress:
        return check(mix, progress)


def _check(args: argparse.Namespace) -> int:
    reports = _reports(_read(args))
    for report in reports:
        print("\n".join(report.lines()))
    return int(any(r.problems for r in reports))
