"""How much worse is a mask when the photograph changes a little: as JPEG, darker, brighter, cropped, resized, mirrored?

    python benchmarks/stability.py SET... [--recipes raw fast balanced best] [--changes jpeg30 dark] [--names GT01 GT13]

A SET is a folder with image/ and alpha/, as for quality.py. Every recipe answers for the photograph as it is and for
each change of it; the answer is brought back to the photograph (mirrored back, resized, set beside the cropped truth)
and its SAD, in thousands of pixels, is compared with that of the unchanged photograph on the same pixels. Rows: mean
SAD as it is; then by change the mean growth, the largest growth and whose it is, and how many grew by over 20.
Resizing by half loses what is finer than two pixels, so that some growth there is right.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.metrics import sad  # noqa: E402
from benchmarks.quality import Plane, Remover, counted, nuggy_removers  # noqa: E402

LARGE = 20.0  # thousands of pixels: a growth of SAD from which a body has gone or come
CROP = 0.03  # of a side, taken off on every side


def same(plane: Plane, size: tuple[int, int]) -> Plane:
    """The plane [H,W] as it is."""
    return plane


def mirrored(plane: Plane, size: tuple[int, int]) -> Plane:
    """The plane [H,W], left and right exchanged."""
    return plane[:, ::-1]


def resized(plane: Plane, size: tuple[int, int]) -> Plane:
    """The plane [H,W] at size (width, height)."""
    found = np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR), np.float32)
    return found.clip(0, 1)


def inside(plane: Plane, size: tuple[int, int]) -> Plane:
    """What the crop keeps of a plane [H,W] of this size (width, height)."""
    left, top, right, bottom = _box(size)
    return plane[top:bottom, left:right]


def _box(size: tuple[int, int]) -> tuple[int, int, int, int]:
    x, y = (round(CROP * n) for n in size)
    return x, y, size[0] - x, size[1] - y


@dataclass(frozen=True)
class Change:
    """A change of photographs. back(answer, size of the photograph): the answer, where it is compared; where: the same
    for planes of the unchanged photograph."""

    make: Callable[[Image.Image], Image.Image]
    back: Callable[[Plane, tuple[int, int]], Plane] = same
    where: Callable[[Plane, tuple[int, int]], Plane] = same


def jpeg(quality: int) -> Callable[[Image.Image], Image.Image]:
    """Through a JPEG file of this quality and halved chroma."""

    def make(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality, subsampling=2)
        return Image.open(file).convert("RGB")

    return make


def brightness(factor: float) -> Callable[[Image.Image], Image.Image]:
    """Every sRGB value times a factor."""
    return lambda image: image.point([min(round(v * factor), 255) for v in range(256)] * 3)


def scaled(factor: float) -> Callable[[Image.Image], Image.Image]:
    """Both sides times a factor."""
    return lambda image: image.resize(
        (max(round(image.width * factor), 1), max(round(image.height * factor), 1)), Image.Resampling.LANCZOS
    )


CHANGES = {
    "jpeg30": Change(jpeg(30)),
    "dark": Change(brightness(0.8)),
    "bright": Change(brightness(1.2)),
    "crop": Change(lambda image: image.crop(_box(image.size)), where=inside),
    "half": Change(scaled(0.5), resized),
    "double": Change(scaled(2.0), resized),
    "mirror": Change(lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), mirrored),
}


def growth(remove: Remover, image: Image.Image, truth: Plane, as_is: Plane, change: Change) -> float:
    """By how much SAD grows, in thousands of pixels, when the photograph is changed. as_is: its own answer."""
    answer = change.back(remove(change.make(image)), image.size)
    known, before = change.where(truth, image.size), change.where(as_is, image.size)
    return sad(np.ascontiguousarray(answer), known) - sad(before, known)


def table(base: dict[str, list[float]], grown: dict[str, dict[str, list[tuple[float, str]]]]) -> str:
    """Markdown: one row a recipe; mean growth, the largest and whose it is, how many grew by over LARGE."""
    changes = list(next(iter(grown.values())))
    lines = ["| | SAD as it is | " + " | ".join(changes) + " |", "|---" * (len(changes) + 2) + "|"]
    for who, by_change in grown.items():
        cells = [f"{statistics.mean(base[who]):.1f}"]
        for found in by_change.values():
            worst, name = max(found)
            over = sum(g > LARGE for g, _ in found)
            cells.append(f"{statistics.mean(g for g, _ in found):+.1f}, {worst:+.1f} {name}, {over} over")
        lines.append(f"| {who} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", type=Path, metavar="SET")
    parser.add_argument("--recipes", nargs="+", default=["raw", "fast", "balanced", "best"])
    parser.add_argument("--changes", nargs="+", default=list(CHANGES), choices=list(CHANGES))
    parser.add_argument("--names", nargs="+", default=[], help="these pictures only")
    parser.add_argument("--weights", type=Path, help="weights (default: its own)")
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()

    removers = nuggy_removers(args.weights, args.device)
    lost = sorted(set(args.recipes) - set(removers))
    if lost:
        sys.exit(f"--recipes: no such row {', '.join(lost)}; there are {', '.join(removers)}")
    for folder in args.sets:
        base: dict[str, list[float]] = {who: [] for who in args.recipes}
        grown: dict[str, dict[str, list[tuple[float, str]]]] = {
            who: {c: [] for c in args.changes} for who in args.recipes
        }
        for name, image, truth in counted(folder):
            if args.names and name not in args.names:
                continue
            for who in args.recipes:
                as_is = removers[who](image)
                base[who].append(sad(as_is, truth))
                for c in args.changes:
                    grown[who][c].append((growth(removers[who], image, truth, as_is, CHANGES[c]), name))
        if not base[args.recipes[0]]:
            sys.exit(f"{folder}: none of --names is there")
        print(f"\n{folder.name}, {len(base[args.recipes[0]])} photographs; growth of SAD in thousands: mean, largest\n")
        print(table(base, grown), flush=True)


if __name__ == "__main__":
    main()
