"""What a million photographs take: CPU seconds of each stage of `nuggy catalogue`, and the plain command's beside them.

    python benchmarks/catalogue.py [--megapixels 12] [--recipe balanced] [--rounds 2] [--format png]

The stages are the catalogue's own (read_block, Cutter, write_block), one after the other in this process on one thread;
seconds are of processor time, so that other work on the machine does not count. `plain` is what `nuggy cutout` does to
the same file, without its threads: the difference is what packing pictures for the way between processes costs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import torch
from PIL import Image
from timing import photograph

from nuggy_nodes.catalogue.box import PLAN
from nuggy_nodes.catalogue.stages import Cutter, Order, read_block, write_block
from nuggy_nodes.cli.jobs import Job
from nuggy_nodes.cli.work import Output
from nuggy_nodes.core.network.description import Options
from nuggy_nodes.core.recipes import recipe
from nuggy_nodes.pictures import Style

MILLION = 1_000_000


def spent(work):  # type: ignore[no-untyped-def]
    """An answer and its CPU seconds."""
    started = time.process_time()
    return work(), time.process_time() - started


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--megapixels", type=float, default=12)
    p.add_argument("--recipe", default="balanced")
    p.add_argument("--rounds", type=int, default=2)
    p.add_argument("--format", default="png")
    args = p.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "a.jpg")
        Image.fromarray(photograph(args.megapixels)).save(source, quality=92)
        output = Output(style=Style(args.format), first_frame=True)
        order = Order(recipe(args.recipe), output, folder, "x", 160, None, Options(), "cpu", "auto", 1)
        row = {"index": 0, "address": str(source), "result": "a." + args.format, "bytes": -1, "query": "", "table": "",
               "column": "", "group": 0, "row": 0}  # fmt: skip
        plan, cutter = pa.Table.from_pylist([row], schema=PLAN), Cutter(order)
        stages = dict.fromkeys(("read", "cut", "write", "plain"), 1e9)
        for _ in range(args.rounds):
            boxed, read = spent(lambda: next(read_block(plan, 160)))
            done, cut = spent(lambda block=boxed: next(cutter(block)))
            told, write = spent(lambda block=done: next(write_block(block, folder, output.style, False)))
            assert told["error"][0].as_py() is None, told["error"]
            worker, job = cutter._worker, Job(source, Path(folder, "plain." + args.format))

            def plain(worker=worker, job=job) -> None:  # type: ignore[no-untyped-def]
                picture = worker.read(job)
                made, _ = worker.cut(job, picture)
                job.result.unlink(missing_ok=True)
                worker.write(job, worker.encode(made, picture))

            _, whole = spent(plain)
            for name, taken in (("read", read), ("cut", cut), ("write", write), ("plain", whole)):
                stages[name] = min(stages[name], taken)
    total = stages["read"] + stages["cut"] + stages["write"]
    print(f"{args.megapixels:g} megapixels, {args.recipe}, {args.format}, CPU seconds: "
          + ", ".join(f"{k} {v:.2f}" for k, v in stages.items())
          + f"; catalogue / plain {total / stages['plain']:.3f}")  # fmt: skip
    files = stages["read"] + stages["write"]
    for cores in (2, 64, 1000):
        print(f"  a million on {cores} cores: {MILLION * total / cores / 3600:,.0f} hours")
    for gpu in (0.1, 0.3, 1.0):
        print(f"  a GPU that cuts one out in {gpu} s: {MILLION * gpu / 3600:,.0f} hours; readers and writers keep up "
              f"with {files / gpu:.1f} cores a GPU")  # fmt: skip


if __name__ == "__main__":
    main()
