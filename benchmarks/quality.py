"""Quality against measured alpha: the raw network, rembg, the seed's recipe and Nuggy's recipes in one table.

    pip install -c constraints.txt '.[bench]'
    python benchmarks/quality.py SET... [--onnx GRAPH] [--sheet DIR] [--only raw,best]

A SET is a folder with image/ and alpha/ (same stems; alpha white on the subject), of any size. Photographs are scored
whole, at their own size, before any 8-bit step but those that a contestant makes itself. --onnx is the source graph
(weights/README.md says where it comes from); without it, or without the rembg package, rembg is left out, and its
closed-form matting runs without any further setting of its own. Seconds are wall clock, image in memory to alpha in
memory, median; run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import metrics  # noqa: E402
from benchmarks.sheet import save_sheets  # noqa: E402

Plane = NDArray[np.float32]
Remover = Callable[[Image.Image], Plane]
FIGURES = {"SAD": metrics.sad, "MSE": metrics.mse, "Grad": metrics.gradient, "Conn": metrics.connectivity}
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")


def cases(folder: Path) -> Iterator[tuple[str, Image.Image, Plane]]:
    """Name, photograph and alpha of every pair in a set, by name."""
    truths = {p.stem: p for p in sorted((folder / "alpha").iterdir()) if p.suffix.lower() in SUFFIXES}
    pictures = {p.stem: p for p in sorted((folder / "image").iterdir()) if p.suffix.lower() in SUFFIXES}
    if not truths or set(truths) - set(pictures):
        lost = sorted(set(truths) - set(pictures))
        sys.exit(f"{folder}: " + (f"no photograph in image/ for {', '.join(lost[:3])}" if lost else "alpha/ is empty"))
    for name, path in truths.items():
        image, alpha = Image.open(pictures[name]).convert("RGB"), Image.open(path).convert("L")
        if image.size != alpha.size:
            sys.exit(f"{path}: alpha is {alpha.size} and the photograph {image.size}; they must be equal")
        yield name, image, np.asarray(alpha, np.float32) / 255


def nuggy_removers(weights: Path | None, device_name: str) -> dict[str, Remover]:
    """The raw network, the seed's recipe, and every recipe by name."""
    import torch

    from nuggy_nodes.core import choose_device, choose_precision, cutout, load
    from nuggy_nodes.core.ops.resample import enlarge
    from nuggy_nodes.core.recipes import RECIPES
    from nuggy_nodes.core.segment.predict import predict

    device = choose_device(device_name)
    network = load(weights, device, choose_precision(device))

    def tensor(image: Image.Image) -> torch.Tensor:
        return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float().div_(255).to(device)

    def plane(alpha: torch.Tensor) -> Plane:
        return np.asarray(alpha[0, 0].float().clamp(0, 1).cpu().numpy())

    def raw(image: Image.Image) -> Plane:
        x = tensor(image)
        return plane(enlarge(predict(network, x), *x.shape[-2:]))

    def by_recipe(name: str) -> Remover:
        return lambda image: plane(cutout(tensor(image), network, name).alpha)

    names = sorted(set(RECIPES), key=lambda n: (n != "demo", len(RECIPES[n].views)))
    return {"raw": raw} | {name: by_recipe(name) for name in names}


def rembg_removers(onnx: Path | None) -> tuple[dict[str, Remover], str]:
    """rembg on the same network, with post-processing off and on, and with closed-form matting; or why not."""
    if onnx is None:
        return {}, "rembg: left out, no --onnx GRAPH given"
    if not onnx.is_file():
        return {}, f"rembg: left out, {onnx} is not there"
    os.environ.setdefault("U2NET_HOME", str(onnx.parent))  # it makes this folder
    try:
        import onnxruntime
        import rembg
        from rembg.sessions.dis_custom import DisCustomSession
    except (ImportError, SystemExit) as e:
        return {}, f"rembg: left out, it is not installed ({e})"
    options = onnxruntime.SessionOptions()
    if hasattr(os, "sched_getaffinity"):
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
    session = DisCustomSession("dis_custom", options, model_path=str(onnx))

    def remover(**settings: bool) -> Remover:
        def run(image: Image.Image) -> Plane:
            out = rembg.remove(image, session=session, **settings)
            return np.asarray(out if out.mode == "L" else out.getchannel("A"), np.float32) / 255

        return run

    return {
        "rembg": remover(only_mask=True),
        "rembg post": remover(only_mask=True, post_process_mask=True),
        "rembg matting": remover(alpha_matting=True),
    }, ""


def counted(folder: Path) -> Iterator[tuple[str, Image.Image, Plane]]:
    """The cases of a folder; how many are done is told on standard error."""
    for done, case in enumerate(cases(folder), 1):
        yield case
        print(f"\r{folder.name}: {done} done", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def score(alpha: Plane, truth: Plane) -> dict[str, float]:
    """Every figure of one answer."""
    return {k: f(alpha, truth) for k, f in FIGURES.items()} | {"thin": metrics.thin_recall(alpha, truth)}


def table(scores: dict[str, list[dict[str, float]]]) -> str:
    """Markdown: one row a remover, mean / median of every figure."""
    lines = ["| | " + " | ".join(FIGURES) + " | thin recall | seconds |", "|---" * (len(FIGURES) + 3) + "|"]
    for name, rows in scores.items():
        cells = []
        for figure in FIGURES:
            values = [r[figure] for r in rows]
            digits = 3 if figure == "Grad" else 1
            cells.append(f"{statistics.mean(values):.{digits}f} / {statistics.median(values):.{digits}f}")
        thin = [r["thin"] for r in rows if not np.isnan(r["thin"])]
        cells.append(f"{statistics.mean(thin):.2f}" if thin else "-")
        cells.append(f"{statistics.median(r['seconds'] for r in rows):.2f}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", type=Path, metavar="SET")
    parser.add_argument("--onnx", type=Path, help="the source ONNX graph, for rembg")
    parser.add_argument("--weights", type=Path, help="weights for Nuggy (default: its own)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", default="", help="comma-separated names of the table's rows")
    parser.add_argument("--sheet", type=Path, metavar="DIR", help="save pictures of the worst and most improved cases")
    args = parser.parse_args()

    removers = nuggy_removers(args.weights, args.device)
    peers, why_not = rembg_removers(args.onnx)
    removers = {"raw": removers.pop("raw")} | peers | removers
    if args.only:
        wanted = args.only.split(",")
        if set(wanted) - set(removers):
            sys.exit(f"--only: no such row {', '.join(set(wanted) - set(removers))}; there are {', '.join(removers)}")
        removers = {name: removers[name] for name in wanted}
    for folder in args.sets:
        scores: dict[str, list[dict[str, float]]] = {name: [] for name in removers}
        answers: list[tuple[str, Image.Image, Plane, dict[str, Plane]]] = []
        warm = False
        for name, image, truth in counted(folder):
            kept: dict[str, Plane] = {}
            for who, remove in removers.items():
                if not warm:
                    remove(image)
                started = time.perf_counter()
                alpha = remove(image)
                seconds = time.perf_counter() - started
                scores[who].append(score(alpha, truth) | {"seconds": seconds})
                if args.sheet:
                    kept[who] = alpha
            warm = True
            answers.append((name, image, truth, kept))
            if not args.sheet:
                answers.clear()
        count = len(next(iter(scores.values())))
        print(f"\n{folder.name}, {count} photographs; SAD and Conn in thousands, MSE times 1000; mean / median\n")
        print(table(scores), flush=True)
        if why_not:
            print(f"\n({why_not})")
        if args.sheet:
            save_sheets(args.sheet, folder.name, answers)


if __name__ == "__main__":
    main()
