"""A cold start of `nuggy cutout one.jpg`, by part: seconds of processor time (wall clock) of fresh processes.

    python benchmarks/cold.py [PHOTOGRAPH] [--recipe fast] [--rounds 5] [--against OTHER_CHECKOUT]

Two checkouts take turns. Processor time is what other work on the machine does not change; of several threads it is the
sum. Files are in the system's cache, the verdicts on weights and arithmetic in the user's.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]

# the command itself; what it is told between the parts goes to a file of its own
WATCHED = """
import atexit, json, os, sys, time
begun = float(sys.argv.pop(1))
marks = []
def mark(name):
    marks.append((name, sum(os.times()[:2]), time.time() - begun))
mark("Python itself")
import torch
mark("import torch")
from nuggy_nodes import cli
from nuggy_nodes.cli import run
def do_all(*given, real=run.do_all, **named):
    mark("the other imports")
    return real(*given, **named)
run.do_all = do_all
def each(*given, real=run._each, **named):
    mark("network opened")
    done = real(*given, **named)
    mark("read, cut out, written")
    return done
run._each = each
atexit.register(lambda: print("MARKS", json.dumps(marks), flush=True))
sys.exit(cli.main())
"""


def split(root: Path, command: list[str]) -> dict[str, tuple[float, float]]:
    """Seconds of each part, of the processor and of the clock, of one start."""
    done = subprocess.run([sys.executable, "-c", WATCHED, repr(time.time()), *command], capture_output=True, text=True,
                          check=True, cwd=root, env=os.environ | {"PYTHONPATH": str(root)})  # fmt: skip
    marks = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("MARKS"))[6:])
    cpu, wall, parts = 0.0, 0.0, {}
    for name, c, t in marks:
        parts[name] = c - cpu, t - wall
        cpu, wall = c, t
    return parts


def whole(root: Path, command: list[str]) -> tuple[float, float]:
    """Seconds of a start as a user begins it, to the end of the process."""
    started, before = time.perf_counter(), os.times()
    subprocess.run([sys.executable, "-m", "nuggy_nodes", *command], capture_output=True, check=True, cwd=root,
                   env=os.environ | {"PYTHONPATH": str(root)})  # fmt: skip
    after = os.times()
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return cpu, time.perf_counter() - started


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("photograph", type=Path, nargs="?", default=ROOT / "samples" / "kitten-on-lawn.jpg")
    p.add_argument("--recipe", default="fast")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--against", type=Path, help="another checkout, which takes turns with this one")
    args = p.parse_args()
    roots = {"here": ROOT} | ({str(args.against): args.against.resolve()} if args.against else {})
    rows: dict[str, dict[str, list[tuple[float, float]]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        made = str(Path(folder, "out.png"))
        command = ["cutout", str(args.photograph.resolve()), "-o", made, "--overwrite", "--recipe", args.recipe]
        for turn in range(args.rounds + 1):
            for name, root in roots.items():
                parts = split(root, command)
                parts["all, as a user begins it, to its end"] = whole(root, command)
                for part, taken in parts.items() if turn else ():
                    rows.setdefault(part, {}).setdefault(name, []).append(taken)
    print(f"| {args.photograph.name}, {args.recipe}, {args.rounds} rounds | " + " | ".join(roots) + " |")
    print("|---|" + "---|" * len(roots))
    for part, found in rows.items():
        shown = ("{:.2f} ({:.2f})".format(*(statistics.median(v) for v in zip(*found[name]))) for name in roots)
        print(f"| {part} | " + " | ".join(shown) + " |")


if __name__ == "__main__":
    main()
