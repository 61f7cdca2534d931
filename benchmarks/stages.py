"""The stages of a cut-out on a CPU, each against its peer in the same run.

    pip install -c constraints.txt '.[bench]'
    python benchmarks/stages.py [--only islands,guided,learned,recipe,sizes,stream] [--megapixels 12]

The guided filter's peer, cv2.ximgproc.guidedFilter, is in OpenCV's contrib package, which takes the place of the plain
one. Put it into an environment of its own and run the benchmark there (without it that row is left out):

    python -m venv contrib && contrib/bin/pip install -c constraints.txt '.[bench]'
    contrib/bin/pip uninstall -y opencv-python && contrib/bin/pip install opencv-contrib-python-headless

Times are medians of wall clock over rounds in which the contestants take turns, all with the same threads; ratios are
medians of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from nuggy_nodes import process  # noqa: E402

process.keep_freed_memory()  # as the command line does, before torch is imported

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402
from timing import as_tensor, peak_memory, photograph, ratio, turns  # noqa: E402

from nuggy_nodes.core import choose_precision, cutout, load, recipe  # noqa: E402
from nuggy_nodes.core.refine.guided_filter import guided_filter  # noqa: E402
from nuggy_nodes.core.refine.islands import remove_islands  # noqa: E402
from nuggy_nodes.core.refine.learned import NAME, refine_learned  # noqa: E402
from nuggy_nodes.core.refine.learned_network import Refiner  # noqa: E402
from nuggy_nodes.core.segment.predict import Chunk, Count, Squares  # noqa: E402
from nuggy_nodes.core.shipped import load_shipped  # noqa: E402

CPU = torch.device("cpu")
SIZES = (1, 2, 4, 12, 24, 48)
RADIUS, EPSILON = 64, 1e-4


def row(name: str, ours: list[float], peer: str, theirs: list[float], target: float) -> None:
    print(f"| {name} | {statistics.median(ours):.3f} | {peer} | {statistics.median(theirs):.3f} | "
          f"{ratio(ours, theirs):.2f} | {target:.2f} |", flush=True)  # fmt: skip


def soft_mask(image: torch.Tensor) -> torch.Tensor:
    """A mask with some thousand parts: where the photograph is bright, softened along its edges."""
    bright = (image.mean(1, keepdim=True) > 0.45).float()
    return guided_filter(image, bright, RADIUS, EPSILON).clamp_(0, 1)


def islands(image: torch.Tensor, rounds: int) -> None:
    alpha = soft_mask(image)
    inside = (alpha[0, 0] > 0.1).view(torch.uint8).numpy()
    count = cv2.connectedComponents(inside)[0] - 1
    taken = turns({"ours": lambda: remove_islands(alpha),
                   "cv2": lambda: cv2.connectedComponentsWithStats(inside, connectivity=8)}, rounds)  # fmt: skip
    row(f"islands of {count} parts", taken["ours"], "cv2.connectedComponentsWithStats", taken["cv2"], 2.0)


def guided(image: torch.Tensor, rounds: int) -> None:
    if not hasattr(cv2, "ximgproc"):
        print("| guided filter | | cv2.ximgproc is not installed (see the head of stages.py) | | | 1.00 |")
        return
    src = (image.mean(1, keepdim=True) > 0.45).float()
    # in 0..255: with a guide in 0..1 it takes the covariances of smooth places for singular and is off by 0.2
    interleaved, squared = np.ascontiguousarray(image[0].permute(1, 2, 0).numpy()) * 255, EPSILON * 255**2
    plane = src[0, 0].numpy()
    cv2.setNumThreads(torch.get_num_threads())
    theirs = cv2.ximgproc.guidedFilter(interleaved, plane, RADIUS, squared)
    difference = np.abs(guided_filter(image, src, RADIUS, EPSILON)[0, 0].numpy() - theirs)
    inner = difference[2 * RADIUS : -2 * RADIUS, 2 * RADIUS : -2 * RADIUS]  # cv2 mirrors the border
    taken = turns({"ours": lambda: guided_filter(image, src, RADIUS, EPSILON),
                   "cv2": lambda: cv2.ximgproc.guidedFilter(interleaved, plane, RADIUS, squared)}, rounds)  # fmt: skip
    name = f"colour guided filter, radius {RADIUS} (differs by {inner.mean():.1e}, at most {inner.max():.1e})"
    row(name, taken["ours"], "cv2.ximgproc.guidedFilter", taken["cv2"], 1.0)


def learned(image: torch.Tensor, rounds: int) -> None:
    """Where every pixel is in doubt, in the arithmetic that pays here and in float32."""
    alpha = soft_mask(image)
    doubt, exact = torch.ones_like(alpha), load_shipped(NAME, Refiner)
    taken = turns({"ours": lambda: refine_learned(image, alpha, alpha, doubt),
                   "float32": lambda: refine_learned(image, alpha, alpha, doubt, network=exact)}, rounds)  # fmt: skip
    each = statistics.median(taken["ours"]) / alpha.numel() * 1e6
    name = f"learned refinement, all in doubt ({each:.3f} s a megapixel)"
    row(name, taken["ours"], "the same in float32", taken["float32"], 1.0)


def whole(image: torch.Tensor, rounds: int) -> None:
    network, balanced = load(dtype=choose_precision(CPU)), recipe("balanced")
    squares = [v.to_square(image) for v in balanced.views]
    run, count = Squares(network, Chunk()), Count(None, len(squares))
    stages: list[dict[str, float]] = []
    taken = turns({"whole": lambda: stages.append(cutout(image, network, balanced).seconds),
                   "bare": lambda: [run(s, count) for s in squares]}, rounds)  # fmt: skip
    row("recipe balanced", taken["whole"], "the same views through the network", taken["bare"], 1.6)
    of = ", ".join(f"{k} {statistics.median(s[k] for s in stages[1:]):.3f}" for k in stages[0])
    print(f"\nStages of balanced, seconds: {of}.")


def sizes(rounds: int) -> None:
    print(
        "\n| megapixels | tensor | network | refine | islands | colours | pixels | all | s per MP | peak "
        "| MiB per MP over 1 MP |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    first = 0.0
    for megapixels in SIZES:
        done = subprocess.run([sys.executable, __file__, "--one", str(megapixels), "--rounds", str(rounds)],
                              capture_output=True, text=True, check=True)  # fmt: skip
        one = json.loads(done.stdout.splitlines()[-1])
        first = first or one["peak"]
        all_ = sum(one["seconds"].values())
        more = f"{(one['peak'] - first) / (megapixels - 1) / 2**20:.0f}" if megapixels > 1 else ""
        stages = " | ".join(f"{v:.3f}" for v in (*one["seconds"].values(), all_, all_ / megapixels))
        print(f"| {megapixels} | {stages} | {one['peak'] / 2**30:.2f} GiB | {more} |", flush=True)


def one(megapixels: float, rounds: int) -> None:
    """A photograph through `nuggy cutout`'s stages in a process of its own; median seconds and peak memory."""
    from nuggy_nodes.cli.jobs import Job
    from nuggy_nodes.pictures import Picture

    worker, pixels, job = _worker(), photograph(megapixels), Job(Path("in"), Path("out"))
    stages = [worker.cut(job, Picture(pixels))[1]["seconds"] for _ in range(rounds + 1)][1:]
    seconds = {k: statistics.median(s[k] for s in stages) for k in stages[0]}
    print(json.dumps({"seconds": seconds, "peak": peak_memory()}))


def _worker():
    from nuggy_nodes.cli.work import Engine, Output, Worker

    network = load(dtype=choose_precision(CPU))
    return Worker(Engine(network, recipe("balanced"), CPU), Output(overwrite=True), 1000.0)


def stream(megapixels: float, count: int) -> None:
    """Images a second of a folder, streamed and one at a time (each as a stream of its own)."""
    from nuggy_nodes.cli.jobs import Job
    from nuggy_nodes.cli.stream import Stream

    def go(worker, jobs) -> None:
        flow, before = Stream(worker, jobs), None
        for turn in flow.turns(lambda job: lambda stage, share: None):
            if before:
                flow.finish(before)
            before = turn
        flow.finish(before)

    with tempfile.TemporaryDirectory() as folder:
        jobs = [Job(Path(folder, f"{i}.jpg"), Path(folder, f"{i}.png")) for i in range(count)]
        for i, job in enumerate(jobs):
            Image.fromarray(np.roll(photograph(megapixels), 97 * i, 1)).save(job.source, quality=92)
        worker = _worker()
        go(worker, jobs[:1])
        print(f"\n| {count} photographs of {megapixels:g} megapixels, file to file | images a second | peak |")
        print("|---|---|---|")
        for name, batches in (("one at a time", [[j] for j in jobs]), ("streamed", [jobs])):
            started = time.perf_counter()
            for batch in batches:
                go(worker, batch)
            print(f"| {name} | {count / (time.perf_counter() - started):.2f} | {peak_memory() / 2**30:.2f} GiB |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="islands,guided,learned,recipe,sizes,stream")
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--photographs", type=int, default=6, help="of the stream")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", type=float, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        return one(args.one, args.rounds)
    only = args.only.split(",")
    precision = str(choose_precision(CPU)).removeprefix("torch.")
    print(
        f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}, OpenCV "
        f"{cv2.__version__}, network in {precision}; {args.megapixels:g} megapixels, {args.rounds} rounds\n"
    )
    with torch.inference_mode():
        parts: dict[str, Callable[[torch.Tensor, int], None]] = {
            "islands": islands, "guided": guided, "learned": learned, "recipe": whole}  # fmt: skip
        if any(p in only for p in parts):
            image = as_tensor(photograph(args.megapixels))
            print("| | s | peer | s | ratio | at most |\n|---|---|---|---|---|---|")
            for name, work in parts.items():
                if name in only:
                    work(image, args.rounds)
    if "sizes" in only:
        sizes(max(args.rounds // 2, 1))
    if "stream" in only:
        stream(args.megapixels, args.photographs)


if __name__ == "__main__":
    main()
