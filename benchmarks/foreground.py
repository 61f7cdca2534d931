"""Foreground colours against pymatting: colour error, composites, time, memory.

    pip install -c constraints.txt '.[bench]'
    python benchmarks/foreground.py FOLDER [--sheet DIR] [--megapixels 0.5 12]

FOLDER holds image/NAME.png and alpha/NAME.png (measured alpha, for example alphamatting.com's training photographs).

Colours. Nobody knows the true foreground of a photograph, so there are three truths, each with the measured alpha:
  photograph  the photograph itself; truth: pymatting's closed-form estimate (estimate_foreground_cf), a slow solve of
              another model (Levin, Lischinski, Weiss, PAMI 2008)
  recomposed  that estimate composited over another photograph: truth known exactly, subject's true kind of colours
  textured    another photograph as the foreground, over a third one: truth known exactly, harder than any subject
MAE and MSE over 0 < alpha < 1, weighted by alpha, as a mean over the pictures (MSE x1000). "plain" is no estimation.

Composites. The photographs over black, white and saturated green, compared with the composite of the closed-form
estimate: mean absolute error over 0 < alpha < 1, and as a share of plain's. The background drops out of the difference,
as alpha is the same on both sides: one number holds for all three colours.

Time. From float arrays in memory to colours in memory, the contestants taking turns, after a first round that does not
count (pymatting compiles): median of the wall clock, and the least processor time of all threads of a round, which
other work on the machine disturbs less. Memory: by how much the peak of a process of its own rises.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from nuggy_nodes.core.foreground.estimate import estimate_foreground

Estimator = Callable[[np.ndarray, np.ndarray], np.ndarray]
COLOURS = {"black": (0, 0, 0), "white": (1, 1, 1), "green": (0, 1, 0)}
KINDS = ("photograph", "recomposed", "textured")


def plain(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return image


def pymatting(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    from pymatting import estimate_foreground_ml

    return estimate_foreground_ml(image, alpha)


def nuggy(method: str) -> Estimator:
    def estimate(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
        picture = torch.from_numpy(image).permute(2, 0, 1)[None]
        return estimate_foreground(picture, torch.from_numpy(alpha)[None, None], method)[0].permute(1, 2, 0).numpy()

    return estimate


CONTESTANTS: dict[str, Estimator] = {
    "plain": plain,
    "pymatting multi-level": pymatting,
    "nuggy multilevel": nuggy("multilevel"),
    "nuggy blur-fusion": nuggy("blur-fusion"),
}


def read(path: Path) -> np.ndarray:
    raw = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if raw is None:
        raise SystemExit(f"cannot read {path}")
    values = raw.astype(np.float32) / np.iinfo(raw.dtype).max
    return np.ascontiguousarray(values[..., 2::-1]) if values.ndim == 3 else values


def resized(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def cases(folder: Path) -> dict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray]]]:
    """(image, alpha, true foreground) of each kind."""
    from pymatting import estimate_foreground_cf
    from skimage import data

    paths = sorted((folder / "image").glob("*.png"))
    others = [getattr(data, name)().astype(np.float32) / 255 for name in ("astronaut", "chelsea", "coffee")]
    out: dict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = {kind: [] for kind in KINDS}
    for i, path in enumerate(paths):
        image, alpha = read(path), read(folder / "alpha" / path.name)
        alpha = alpha if alpha.ndim == 2 else np.ascontiguousarray(alpha[..., 0])
        a, (height, width) = alpha[..., None], alpha.shape
        truth = estimate_foreground_cf(image.astype(np.float64), alpha.astype(np.float64)).astype(np.float32)
        behind = resized(others[i % len(others)], height, width)
        texture = resized(read(paths[(i + 5) % len(paths)]), height, width)
        out["photograph"].append((image, alpha, truth))
        out["recomposed"].append((a * truth + (1 - a) * behind, alpha, truth))
        out["textured"].append((a * texture + (1 - a) * behind, alpha, texture))
    return out


def errors(found: np.ndarray, truth: np.ndarray, alpha: np.ndarray) -> tuple[float, float, float]:
    """MAE and MSE weighted by alpha, and the mean absolute error of a composite, over 0 < alpha < 1."""
    mixed = (alpha > 0) & (alpha < 1)
    weight, difference = alpha[mixed], found[mixed] - truth[mixed]
    mae = float((weight * np.abs(difference).mean(1)).sum() / weight.sum())
    mse = float((weight * (difference**2).mean(1)).sum() / weight.sum())
    return mae, mse, float((weight * np.abs(difference).mean(1)).mean())


def composite(colours: np.ndarray, alpha: np.ndarray, over: tuple[float, ...]) -> np.ndarray:
    return alpha[..., None] * colours + (1 - alpha[..., None]) * np.float32(over)


def colour_table(sets: dict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray]]]) -> None:
    print("| colour error | " + " | ".join(f"{kind} MAE | MSE x1000" for kind in KINDS) + " | composite | of plain |")
    print("|---|" + "---:|" * (2 * len(KINDS) + 2))
    base = 0.0
    for name, estimate in CONTESTANTS.items():
        cells, over = [], 0.0
        for kind in KINDS:
            rows = [errors(estimate(image, alpha), truth, alpha) for image, alpha, truth in sets[kind]]
            mae, mse, mixed = np.mean(rows, 0)
            cells.append(f"{mae:.4f} | {mse * 1000:.3f}")
            if kind == "photograph":
                over = float(mixed)
        base = base or over
        print(f"| {name} | {' | '.join(cells)} | {over:.4f} | {over / base:.2f} |")


def enlarged(image: np.ndarray, alpha: np.ndarray, megapixels: float) -> tuple[np.ndarray, np.ndarray]:
    scale = (megapixels * 1e6 / alpha.size) ** 0.5
    size = (round(alpha.shape[1] * scale), round(alpha.shape[0] * scale))
    return tuple(np.clip(cv2.resize(x, size, interpolation=cv2.INTER_LINEAR), 0, 1) for x in (image, alpha))


def time_table(folder: Path, names: list[str], megapixels: list[float], rounds: int) -> None:
    print(
        "\n| ms, wall (processor) | photograph | unsure | "
        + " | ".join(list(CONTESTANTS)[1:])
        + " | multilevel / pymatting | memory |"
    )
    print("|---|---|---:|" + "---:|" * (len(CONTESTANTS) + 1))
    for size in megapixels:
        for name in names:
            image, alpha = enlarged(read(folder / "image" / name), read(folder / "alpha" / name), size)
            spent: dict[str, list[tuple[float, float]]] = {key: [] for key in list(CONTESTANTS)[1:]}
            for turn in range(rounds + 1):
                for key in spent:
                    start = time.perf_counter(), time.process_time()
                    CONTESTANTS[key](image, alpha)
                    if turn:
                        spent[key].append((time.perf_counter() - start[0], time.process_time() - start[1]))
            wall = {key: statistics.median(w for w, _ in values) for key, values in spent.items()}
            busy = {key: min(c for _, c in values) for key, values in spent.items()}
            ratio = wall["nuggy multilevel"] / wall["pymatting multi-level"]
            own = [sys.executable, __file__, str(folder), "--memory", name, str(size)]
            memory = subprocess.run(own, capture_output=True, text=True, check=True).stdout.strip()
            unsure = float(((alpha > 0) & (alpha < 1)).mean())
            times = " | ".join(f"{wall[key] * 1000:.0f} ({busy[key] * 1000:.0f})" for key in wall)
            print(f"| {size:g} MP | {name} | {unsure:.0%} | {times} | {ratio:.2f} | {memory} |", flush=True)


def memory_of(folder: Path, name: str, megapixels: float) -> None:
    """Print what the peak grows by over the inputs, the result included."""
    small = np.zeros((64, 64, 3), np.float32), np.full((64, 64), 0.5, np.float32)
    image, alpha = enlarged(read(folder / "image" / name), read(folder / "alpha" / name), megapixels)
    nuggy("multilevel")(*small)
    before = resident("VmRSS")
    nuggy("multilevel")(image, alpha)
    print(f"{resident('VmHWM') - before:.0f} MiB")


def resident(field: str) -> float:
    """MiB that this process holds (VmRSS) or held at its peak (VmHWM); Linux."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def sheet(sets: dict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray]]], folder: Path, side: int = 150) -> None:
    """For the photographs with most to see: a crop, plain | estimated | closed form over green, black and white."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, (image, alpha, truth) in enumerate(sets["photograph"]):
        found = nuggy("multilevel")(image, alpha)
        seen = cv2.boxFilter(alpha * (1 - alpha) * np.abs(image - truth).mean(2), -1, (side, side), normalize=False)
        half = side // 2
        y, x = np.unravel_index(seen[half:-half, half:-half].argmax(), seen[half:-half, half:-half].shape)
        rows = []
        for over in COLOURS.values():
            crops = [composite(c, alpha, over)[y : y + side, x : x + side] for c in (image, found, truth)]
            rows.append(np.concatenate(crops, 1))
        crop = image[y : y + side, x : x + side]
        matte = np.repeat(alpha[y : y + side, x : x + side, None], 3, 2)
        rows.insert(0, np.concatenate((crop, matte, found[y : y + side, x : x + side]), 1))
        picture = (np.concatenate(rows)[..., ::-1] * 255).round().clip(0, 255).astype(np.uint8)
        big = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
        cv2.imwrite(str(folder / f"{i:02d}.png"), big)
    print(f"\nsheets in {folder}: top row photograph, alpha, estimated colours; then over black, white, green:")
    print("plain, nuggy multilevel, closed form")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--megapixels", type=float, nargs="*", default=[0.5, 12])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--photographs", type=int, default=3, help="how many are timed")
    parser.add_argument("--no-colours", action="store_true")
    parser.add_argument("--memory", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        return memory_of(options.folder, options.memory[0], float(options.memory[1]))
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {platform.machine()}\n")
    if not options.no_colours:
        sets = cases(options.folder)
        colour_table(sets)
        if options.sheet:
            sheet(sets, options.sheet)
    names = [path.name for path in sorted((options.folder / "image").glob("*.png"))]
    step = max(len(names) // options.photographs, 1)
    time_table(options.folder, names[1::step][: options.photographs], options.megapixels, options.rounds)


if __name__ == "__main__":
    main()
