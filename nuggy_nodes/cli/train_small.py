"""`nuggy train refiner|strokes`: the small networks, on the CPU. Imports nuggy_nodes/training when one of them runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def add_parsers(actions: Any) -> None:
    p = _small(
        actions,
        "refiner",
        help="train the small network that refines edges after the guided filter, on the CPU",
        description="Makes scenes from photographs and drawings, asks the network about them, and trains on windows of "
        "both. Goes on where it stopped when called again with the same folder; Ctrl-C stops and saves.",
    )
    p.add_argument("--scenes", type=int, default=400, help="scenes to make (default: 400)")
    p.add_argument("--steps", type=int, default=12000, help="steps to train (default: 12000)")
    p.set_defaults(run=_refiner)

    p = _small(
        actions,
        "strokes",
        help="train the small network that spreads strokes, on the CPU",
        description="Makes canvases from photographs, asks the network about them, and trains on strokes of a "
        "simulated user. Goes on where it stopped when called again with the same folder; Ctrl-C stops and saves.",
    )
    p.add_argument("--canvases", type=int, default=4000, help="canvases to make (default: 4000)")
    p.add_argument("--steps", type=int, default=5000, help="steps to train (default: 5000)")
    p.set_defaults(run=_strokes)


def _small(actions: Any, name: str, **texts: str) -> argparse.ArgumentParser:
    """What trains a small network of photographs with and without a subject."""
    p: argparse.ArgumentParser = actions.add_parser(name, **texts)
    p.add_argument("--photos", type=Path, required=True, metavar="DIR", help="photographs with a subject")
    p.add_argument("--backgrounds", type=Path, required=True, metavar="DIR", help="photographs without one")
    p.add_argument("-o", "--output", type=Path, required=True, metavar="RUN", help="the run's folder (made if missing)")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--minutes", type=float, metavar="N", help="save and stop after N minutes; call again to go on")
    return p


def not_whole(e: ImportError) -> Exception:
    """What is said where a library that training needs is missing."""
    from ..core.errors import NuggyError

    return NuggyError(f"training is not installed whole ({e}); pip install 'nuggy-nodes[train]'")


def _refiner(args: argparse.Namespace) -> int:
    import time

    ends = time.monotonic() + 60 * args.minutes if args.minutes else float("inf")
    from ..core import load
    from ..core.errors import NuggyError
    from ..process import keep_freed_memory
    from ..training.progress import shown
    from ..training.refiner_bank import Bank
    from ..training.refiner_export import export
    from ..training.refiner_loop import RefinerTrainer

    if min(args.scenes, args.steps) < 1:
        raise NuggyError("--scenes and --steps are 1 or more")
    keep_freed_memory()
    bank = Bank(args.photos, args.backgrounds, args.output, args.seed)
    with shown("making scenes", "scene", sys.stderr.isatty()) as progress:
        if not bank.fill(args.scenes, load(), lambda _, d, n: progress(d, n), lambda: time.monotonic() > ends):
            print(f"{args.output}: not all scenes are made; run again to go on")
            return 0
    trainer = RefinerTrainer(bank.read(args.scenes, False), bank.read(args.scenes, True), args.output, args.steps,
                             args.seed, sys.stderr.isatty())  # fmt: skip
    finished = trainer.train(lambda: time.monotonic() > ends)
    more = "" if finished else "; run again to go on"
    print(f"{export(trainer)}: step {trainer.step} of {args.steps}{more}")
    return 0


def _strokes(args: argparse.Namespace) -> int:
    import time

    ends = time.monotonic() + 60 * args.minutes if args.minutes else float("inf")
    try:
        from ..training.strokes_bank import Bank
    except ImportError as e:
        raise not_whole(e) from e
    from ..core import load
    from ..core.errors import NuggyError
    from ..process import keep_freed_memory
    from ..training.progress import shown
    from ..training.strokes_export import export
    from ..training.strokes_loop import StrokesTrainer

    if min(args.canvases, args.steps) < 1:
        raise NuggyError("--canvases and --steps are 1 or more")
    keep_freed_memory()
    bank = Bank(args.photos, args.backgrounds, args.output, args.seed)
    with shown("making canvases", "canvas", sys.stderr.isatty()) as progress:
        if not bank.fill(args.canvases, load(), progress, lambda: time.monotonic() > ends):
            print(f"{args.output}: not all canvases are made; run again to go on")
            return 0
    found = bank.components(args.canvases)
    trainer = StrokesTrainer(bank.read(args.canvases, False, found), bank.read(args.canvases, True, found), found,
                             args.output, args.steps, args.seed, sys.stderr.isatty())  # fmt: skip
    finished = trainer.train(lambda: time.monotonic() > ends)
    more = "" if finished else "; run again to go on"
    print(f"{export(trainer)}: step {trainer.step} of {args.steps}{more}")
    return 0
