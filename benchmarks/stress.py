"""Pictures that have no subject, or several: how much does each recipe invent, and how much does it drop?

    python benchmarks/stress.py [FOLDER...] [--recipes raw demo fast balanced best] [--subjects SET] [--sheet FILE]

Without a subject: flat colours, ramps, stripes, noise at three scales, a page of text, a brick wall, drawn here; and
every picture of the FOLDERs (photographs of nothing in particular). The figure is the mean of alpha: 0 is right.

Several subjects: with --subjects, a folder with image/ and alpha/, every cut-out of it is set twice into drawn
surroundings, at a third and at a quarter of their width, and the figure is SAD over the sum of the true alpha: 0 is
right, 1 is as bad as an empty mask.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.quality import cases  # noqa: E402
from benchmarks.thin import masks  # noqa: E402
from nuggy_nodes.core import choose_precision, load  # noqa: E402

SIZE = (800, 1200)
Picture = np.ndarray


def drawn() -> Iterator[tuple[str, Picture]]:
    """Name and picture [800,1200,3] uint8, always the same."""
    rng = np.random.default_rng(7)
    height, width = SIZE
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)

    def grey(v: np.ndarray) -> Picture:
        return np.repeat(np.clip(v, 0, 255).astype(np.uint8)[..., None], 3, 2)

    yield "black", np.zeros((*SIZE, 3), np.uint8)
    yield "white", np.full((*SIZE, 3), 255, np.uint8)
    yield "red", np.full((*SIZE, 3), (190, 30, 40), np.uint8)
    yield "ramp", grey(x / width * 255)
    yield "sky", np.stack([v * (1 - y / height) + 235 * y / height for v in (70, 120, 200)], -1).astype(np.uint8)
    yield "stripes", grey(128 + 90 * np.sign(np.sin(x / 19)))
    yield "checks", grey(128 + 90 * np.sign(np.sin(x / 23) * np.sin(y / 23)))
    for scale in (1, 8, 64):
        coarse = rng.uniform(0, 255, (height // scale + 2, width // scale + 2, 3)).astype(np.float32)
        yield (
            f"noise {scale}",
            cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8),
        )
    wall = np.full((*SIZE, 3), (150, 145, 140), np.uint8)
    for row in range(0, height, 40):
        for left in range(-80 + row // 40 % 2 * 50, width, 100):
            shade = int(rng.integers(-25, 25))
            cv2.rectangle(wall, (left + 3, row + 3), (left + 96, row + 36), (150 + shade, 70 + shade, 55 + shade), -1)
    yield "bricks", wall
    page = np.full((*SIZE, 3), 250, np.uint8)
    for line in range(16):
        words = " ".join("".join(chr(97 + c) for c in rng.integers(0, 26, rng.integers(2, 10))) for _ in range(9))
        cv2.putText(page, words, (50, 70 + 45 * line), cv2.FONT_HERSHEY_DUPLEX, 0.9, (25, 25, 25), 2, cv2.LINE_AA)
    yield "text", page


def several(folder: Path) -> Iterator[tuple[str, Picture, np.ndarray]]:
    """Name, picture and true alpha: each cut-out of a set, twice over drawn surroundings."""
    grounds = [p for n, p in drawn() if n in ("sky", "bricks", "noise 64")]
    height, width = SIZE
    for i, (name, photograph, alpha) in enumerate(cases(folder)):
        picture, truth = grounds[i % len(grounds)].astype(np.float32), np.zeros(SIZE, np.float32)
        for share, left in ((1 / 3, 0.1), (1 / 4, 0.65)):
            k = min(share * width / photograph.width, 0.8 * height / photograph.height)
            size = (max(round(photograph.width * k), 1), max(round(photograph.height * k), 1))
            small = cv2.resize(np.asarray(photograph, np.float32), size, interpolation=cv2.INTER_AREA)
            a = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
            t, l = height - size[1] - 60, round(left * width)  # noqa: E741
            window = np.s_[t : t + size[1], l : l + size[0]]
            picture[window] += a[..., None] * (small - picture[window])
            truth[window] = a
        yield name, picture.round().astype(np.uint8), truth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--recipes", nargs="+", default=["raw", "demo", "fast", "balanced", "best"])
    parser.add_argument("--subjects", type=Path, metavar="SET")
    parser.add_argument("--sheet", type=Path, help="save all pictures and masks as one picture")
    args = parser.parse_args()
    device = torch.device("cpu")
    removers = masks(args.recipes, load(None, device, choose_precision(device)))
    rows: list[Picture] = []

    def answers(picture: Picture) -> list[np.ndarray]:
        out = [removers[n](picture) for n in args.recipes]
        tiles = [picture] + [np.repeat(np.uint8(a.clip(0, 1) * 255)[..., None], 3, 2) for a in out]
        rows.append(np.hstack([cv2.resize(t, (240, 160), interpolation=cv2.INTER_AREA) for t in tiles]))
        return out

    def line(name: str, figures: list[float], digits: int) -> None:
        print(f"| {name} | " + " | ".join(f"{f:.{digits}f}" for f in figures) + " |", flush=True)

    head = "| | " + " | ".join(args.recipes) + " |\n|" + "---|" * (len(args.recipes) + 1)
    print("Nothing to cut out: mean alpha\n\n" + head)
    for name, picture in drawn():
        line(name, [float(a.mean()) for a in answers(picture)], 4)
    for folder in args.folders:
        photographs = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in (".jpg", ".jpeg", ".png")]
        found = [np.array([a.mean() for a in answers(cv2.imread(str(p))[..., ::-1].copy())]) for p in photographs]
        line(f"{folder.name}, {len(found)} photographs, mean", list(np.mean(found, 0)), 4)
        line("and the worst of them", list(np.max(found, 0)), 4)
    if args.subjects:
        print("\nTwo subjects: SAD over the sum of the true alpha\n\n" + head)
        found = []
        for name, picture, truth in several(args.subjects):
            found.append(np.array([np.abs(a - truth).sum() / truth.sum() for a in answers(picture)]))
            line(name, list(found[-1]), 2)
        line("mean", list(np.mean(found, 0)), 2)
    if args.sheet:
        cv2.imwrite(str(args.sheet), np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main()
