"""A photograph cut out beside another program that has one of the cores, and alone: how torch's threads wait.

    python benchmarks/busy.py [PHOTOGRAPH] --rounds 3

Each way of waiting (process.share_cores) is a process of its own that cuts the photograph out; the ways take turns. The
other program counts in one thread at the same priority, in a session of its own, as programs of a desktop are.
Wall clock of the second cut-out, medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
OTHER = "while True: pass"
WORK = """
import sys, time
import numpy as np, torch
from PIL import Image
from nuggy_nodes.core import choose_precision, cutout, load
from nuggy_nodes.process import keep_freed_memory
keep_freed_memory()
network = load(dtype=choose_precision(torch.device("cpu")))
pixels = np.asarray(Image.open(sys.argv[1]).convert("RGB"), np.float32) / 255
image = torch.from_numpy(pixels).permute(2, 0, 1)[None]
cutout(image, network)
started = time.perf_counter()
cutout(image, network)
print(time.perf_counter() - started)
"""
WAYS = {
    "as the library has it": {},
    "1000 looks (Nuggy's)": {"GOMP_SPINCOUNT": "1000"},
    "100 looks": {"GOMP_SPINCOUNT": "100"},
    "none": {"OMP_WAIT_POLICY": "PASSIVE"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}


def seconds(photograph: Path, way: dict[str, str]) -> float:
    clean = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "OMP_NUM_THREADS")}
    env = {**clean, **way, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WORK, str(photograph)]
    return float(subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photograph", type=Path, nargs="?", default=ROOT / "samples/kitten-on-lawn.jpg")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    found: dict[tuple[str, bool], list[float]] = {}
    for _ in range(args.rounds):
        for name, way in WAYS.items():
            for busy in (False, True):
                other = subprocess.Popen([sys.executable, "-c", OTHER], start_new_session=True) if busy else None
                try:
                    found.setdefault((name, busy), []).append(seconds(args.photograph, way))
                finally:
                    if other:
                        other.kill()
                        other.wait()
    print(f"{os.cpu_count()} cores, {args.photograph.name}, {args.rounds} rounds\n")
    print("| how threads wait | s as it is | s beside another program |\n|---|---|---|")
    for name in WAYS:
        quiet, busy = (statistics.median(found[name, b]) for b in (False, True))
        print(f"| {name} | {quiet:.2f} | {busy:.2f} |")


if __name__ == "__main__":
    main()
