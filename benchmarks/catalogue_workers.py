"""What Ray costs: `nuggy catalogue` with 1 and 2 networks at work beside `nuggy cutout`, over the same photographs.

    python benchmarks/catalogue_workers.py [--megapixels 4] [--few 4] [--many 20] [--recipe fast] [--format png]

Each command is a process of its own over `few` and over `many` photographs; what a photograph costs is the difference,
so that starting (Ray takes some ten seconds) does not count, and is told apart. Processor seconds are those of the
command and of all that it starts, raylets and workers too (they become children of this process when it ends, and are
waited for): on a shared machine they are the figure; the wall's are beside them. Linux only.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from timing import photograph

PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


def spent(command: list[str]) -> tuple[float, float]:
    """Wall and processor seconds of a command and of everything that it started."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    # beside other work as the plain command is; threads that wait for each other do not burn what is measured
    env = os.environ | {"RAY_worker_niceness": "0", "OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}
    env.pop("RAY_ADDRESS", None)
    done = subprocess.run(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wall = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def photographs(folder: Path, count: int, megapixels: float) -> Path:
    """Files of one picture, each with another corner."""
    folder.mkdir()
    pixels = photograph(megapixels)
    for i in range(count):
        pixels[:8, :8] = np.random.default_rng(i).integers(0, 255, (8, 8, 3))
        Image.fromarray(pixels).save(folder / f"{i:03}.jpg", quality=92)
    return folder


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--megapixels", type=float, default=4)
    p.add_argument("--few", type=int, default=4)
    p.add_argument("--many", type=int, default=20)
    p.add_argument("--recipe", default="fast")
    p.add_argument("--format", default="png")
    p.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    args = p.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        few, many = (photographs(work / w, n, args.megapixels) for w, n in (("few", args.few), ("many", args.many)))
        told = ["--recipe", args.recipe, "--format", args.format, "--device", "cpu"]
        nuggy = [sys.executable, "-m", "nuggy_nodes"]

        def run(source: Path, workers: int) -> tuple[float, float]:
            dest = str(work / f"{source.name}-{workers}")
            if workers:
                return spent([*nuggy, "catalogue", str(source), dest, "--workers", str(workers), *told])
            return spent([*nuggy, "cutout", str(source), "-r", "-o", dest, *told])

        print(f"{args.megapixels:g} megapixels, {args.recipe}, {args.format}, {args.few} and {args.many} photographs")
        print("                     starting          a photograph      to plain")
        print("                   wall     CPU       wall     CPU      wall    CPU")
        plain = None
        for workers in (0, *args.workers):
            a, b = (np.array(run(s, workers)) for s in (few, many))
            each = (b - a) / (args.many - args.few)
            start = a - each * args.few
            plain = each if plain is None else plain
            name = f"{workers} at work" if workers else "nuggy cutout"
            print(f"{name:14}{start[0]:9.1f}{start[1]:8.1f}{each[0]:11.2f}{each[1]:8.2f}"
                  f"{each[0] / plain[0]:10.3f}{each[1] / plain[1]:7.3f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
