"""Does training train? Seconds a step, and the loss on scenes that were held back, before and after some steps.

    python benchmarks/training.py MIX.toml [--data DIR] [--teacher DIR] [--sizes 256 512] [--steps 50] [--batch 2]
        [--workers 0] [--device cpu]

The scenes held back have numbers that no run draws; drawn ones alone are counted apart. `rounded` is the same after the
weights went through the 8-bit form of weights/; the last rows say whether training that sees the rounding
(`round_last`) makes up for it.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
import time
from contextlib import closing
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from nuggy_nodes.core import choose_device, load  # noqa: E402
from nuggy_nodes.core.network.isnet import layer_names  # noqa: E402
from nuggy_nodes.core.network.quantise import dequantise, quantise  # noqa: E402
from nuggy_nodes.core.network.weights import SMALL  # noqa: E402
from nuggy_nodes.process import keep_freed_memory  # noqa: E402
from nuggy_nodes.training.ahead import painted  # noqa: E402
from nuggy_nodes.training.draw import HELD_BACK, Draws, photographs  # noqa: E402
from nuggy_nodes.training.learner import Learner  # noqa: E402
from nuggy_nodes.training.loss import total  # noqa: E402
from nuggy_nodes.training.mix import Mix, read_mix  # noqa: E402
from nuggy_nodes.training.progress import shown  # noqa: E402
from nuggy_nodes.training.scene import Batch, render  # noqa: E402
from nuggy_nodes.training.teacher import teach  # noqa: E402


def sized(mix: Mix, size: int, **run: float) -> Mix:
    return dataclasses.replace(mix, run=dataclasses.replace(mix.run, size=size, **run))


SCENES, STEPS = 24, 9  # timed


def now(device: torch.device) -> float:
    """Seconds, when all that was asked of the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def step_seconds(mix: Mix, teaching: dict[Path, Path], device: torch.device) -> str:
    """A row: means of planning a scene and painting it, over SCENES of all kinds; the median of learning from a batch;
    and of a whole step as a run makes it, with scenes planned in other processes and, on a GPU, painted ahead. The
    first of each is left out."""
    run = mix.run
    draws, learner = Draws(mix, teaching), Learner(load(mix.weights, device), run)
    plan, paint, learn, whole = [], [], [], []
    for i in range(SCENES + 1):
        at = [now(device)]
        scene = draws[i]
        at.append(now(device))
        render([scene], device)
        at.append(now(device))
        plan.append(at[1] - at[0])
        paint.append(at[2] - at[1])
    for step in range(1 + STEPS // 3):
        batch, started = render([draws[i] for i in range(run.batch)], device), now(device)
        learner.update(batch, step)
        learn.append(now(device) - started)
    last = now(device)
    with closing(painted(iter(draws.batches(0, 1 + STEPS, run.batch, run.workers)), device)) as batches:
        for step, batch in enumerate(batches):
            learner.update(batch, step)
            whole.append(now(device) - last)
            last += whole[-1]
    means, medians = (statistics.mean(x[1:]) for x in (plan, paint)), (statistics.median(x[1:]) for x in (learn, whole))
    memory = f"{torch.cuda.max_memory_allocated(device) / 2**30:.1f}" if device.type == "cuda" else "-"
    return f"| {run.size} | " + " | ".join(f"{v:.3f}" for v in (*means, *medians)) + f" | {memory} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mix", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--teacher", type=Path, default=Path("teacher"))
    parser.add_argument("--sizes", type=int, nargs="*", default=[256, 512], help="sides for the seconds a step")
    parser.add_argument("--steps", type=int, default=50, help="0: the seconds alone")
    parser.add_argument("--size", type=int, default=256, help="side for the steps")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--workers", type=int, default=0, help="processes that plan scenes, for the seconds a step")
    parser.add_argument("--held", type=int, default=24, help="scenes held back")
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    keep_freed_memory()
    device, mix = choose_device(args.device), read_mix(args.mix, args.data)
    with shown("teacher", "photo") as asked:
        teaching = teach(photographs(mix), mix.weights, device, args.teacher, asked)
    if args.sizes:
        print(f"seconds; batches of {args.batch}, {args.workers} processes that plan\n")
        print("| side | plan a scene | paint it | learn a batch | whole step | GPU memory, GiB |\n" + "|---" * 6 + "|")
        for size in args.sizes:
            row = step_seconds(sized(mix, size, batch=args.batch, workers=args.workers), teaching, device)
            print(row, flush=True)

    if not args.steps:
        return
    draws = Draws(mix, teaching, args.size)
    held = [render([draws[HELD_BACK + i]], device) for i in range(args.held)]
    drawn = [b for b in held if b.kinds[0] not in ("photo", "background", "pair")]
    small = [n for n in layer_names() if n.startswith(SMALL)]

    def stored(learner: Learner) -> dict[str, torch.Tensor]:
        back = dequantise(quantise(learner.ema, small), Path("memory"))
        return {k: v.to(device) for k, v in back.items()}

    def loss(learner: Learner, batches: list[Batch], weights: dict[str, torch.Tensor]) -> float:
        with torch.no_grad():
            return sum(float(total(learner.losses(b, weights))) for b in batches) / max(len(batches), 1)

    print(f"\n{args.steps} steps of {args.batch} at {args.size}; loss on {len(held)} scenes held back\n")
    print(f"| | all | drawn ({len(drawn)}) | all, rounded | s |\n|---|---|---|---|---|")
    for late in (0, args.steps // 3):
        run = sized(mix, args.size, steps=args.steps, batch=args.batch, round_last=late,
                    warm_up=min(mix.run.warm_up, args.steps // 5)).run  # fmt: skip
        learner = Learner(load(mix.weights, device), run)
        if not late:
            print(f"| before | {loss(learner, held, learner.ema):.4f} | {loss(learner, drawn, learner.ema):.4f} | "
                  f"{loss(learner, held, stored(learner)):.4f} | |", flush=True)  # fmt: skip
        started = time.perf_counter()
        for step in range(args.steps):
            first = step * args.batch
            learner.update(render([draws[first + i] for i in range(args.batch)], device), step)
        name = f"after, last {late} seeing 8 bits" if late else "after"
        seconds = time.perf_counter() - started
        print(f"| {name} | {loss(learner, held, learner.ema):.4f} | {loss(learner, drawn, learner.ema):.4f} | "
              f"{loss(learner, held, stored(learner)):.4f} | {seconds:.0f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
