"""`nuggy train check|sheet|run|export`: fine-tuning. Imports nuggy_nodes/training when one of them runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..training.mix import Mix


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("train", help="fine-tune the network on data sets, drawings and photographs")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    p = actions.add_parser("check", help="open every file of a mix and report what is missing or broken")
    _mix(p)
    p.set_defaults(run=_check)


def _mix(p: argparse.ArgumentParser) -> None:
    p.add_argument("mix", type=Path, metavar="MIX.toml", help="sources and their weights (docs/training.md)")
    p.add_argument(
        "--data", type=Path, metavar="DIR", help="what the mix's paths are relative to (default: its folder)"
    )


def _read(args: argparse.Namespace) -> Mix:
    try:
        from ..training.mix import read_mix
    except ImportError as e:
        from ..core.errors import NuggyError

        raise NuggyError(f"training is not installed whole ({e}); pip install 'nuggy-nodes[train]'") from e
    return read_mix(args.mix, args.data)


def _check(args: argparse.Namespace) -> int:
    mix = _read(args)
    from tqdm import tqdm

    from ..training.check import check

    with tqdm(unit="file", disable=not sys.stderr.isatty()) as bar:

        def progress(done: int, total: int) -> None:
            bar.total, bar.n = total, done
            bar.refresh()

        reports = check(mix, progress)
    for report in reports:
        print("\n".join(report.lines()))
    return int(any(r.problems for r in reports))
