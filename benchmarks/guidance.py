"""What guidance is worth, by a simulated user: strokes, a box, rough masks.

    python benchmarks/guidance.py SET... [--rough-only]

A SET is a folder with image/ and alpha/. At each step the largest connected error (|mask - truth| > 0.5) gets one
stroke by its true label, a line through its deepest point along its main axis, clipped to it; all strokes so far are
given. The peers: the same strokes painted into the mask by hand, and grabCut with the mask's halves as prior and the
strokes as certain, its change taken only in regions that a stroke touches. The table has the mean SAD (thousands)
after 0, 1, 2, 3, 5 strokes, the ratio to none, the worst step of any picture (SAD after a stroke over SAD before it)
and how many steps lose over 2 %. Seconds are an answer's, the network's views known.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.quality import cases  # noqa: E402
from nuggy_nodes.core import Guidance, answer, choose_precision, load, look_once, recipe  # noqa: E402
from nuggy_nodes.core.refine.rough import refine_rough  # noqa: E402

Plane = NDArray[Any]
STEPS = 5


def stroke(truth: Plane, mask: Plane, keep: Plane, drop: Plane) -> bool:
    """Add the user's next stroke to keep or drop (uint8, in place); False where nothing is wrong."""
    wrong = (np.abs(mask - truth) > 0.5).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(wrong, connectivity=8)
    if count < 2:
        return False
    region = (labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())).astype(np.uint8)
    depth = cv2.distanceTransform(np.pad(region, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    ys, xs = np.nonzero(region)
    values, vectors = np.linalg.eigh(np.cov(np.stack([xs, ys])) if len(xs) > 2 else np.eye(2))
    reach = 0.5 * np.sqrt(max(values[-1], 1)) * vectors[:, -1]
    line = np.zeros_like(region)
    start, stop = (int(x - reach[0]), int(y - reach[1])), (int(x + reach[0]), int(y + reach[1]))
    cv2.line(line, start, stop, 1, max(int(0.01 * max(truth.shape)), 1))
    line[region == 0] = 0
    (keep if truth[y, x] > 0.5 else drop)[line > 0] = 1
    return True


def rough_mask(truth: Plane, kind: str) -> Plane:
    """A rough hard mask: wobbly, threshold, or eighth (of the truth at 1/8 size), in steps of 1/255."""
    height, width = truth.shape
    side = max(height, width)
    if kind == "threshold":
        mask = (truth > 0.5).astype(np.float64)
    elif kind == "eighth":
        small = cv2.resize(truth.astype(np.float64), (width // 8, height // 8), interpolation=cv2.INTER_AREA)
        mask = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    else:
        noise = cv2.GaussianBlur(np.random.default_rng(5).standard_normal((height, width)), (0, 0), 0.02 * side)
        noise *= 0.02 * side / noise.std() / 2
        inside = (truth > 0.5).astype(np.uint8)
        signed = cv2.distanceTransform(inside, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
        mask = (signed + noise + 0.008 * side > 0).astype(np.float64)
    return np.asarray((mask * 255).round() / 255, np.float32)


def painted(pixels: Plane, mask: Plane, keep: Plane, drop: Plane) -> Plane:
    """The strokes painted into the mask."""
    out = mask.copy()
    out[keep > 0], out[drop > 0] = 1, 0
    return out


def grabcut(pixels: Plane, mask: Plane, keep: Plane, drop: Plane) -> Plane:
    """The peer of fifteen lines."""
    if not keep.any() and not drop.any():
        return mask
    labels = np.where(mask > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[keep > 0], labels[drop > 0] = cv2.GC_FGD, cv2.GC_BGD
    cv2.setRNGSeed(1)
    try:
        cv2.grabCut(
            np.ascontiguousarray(pixels[..., ::-1]),
            labels,
            None,
            np.zeros((1, 65)),
            np.zeros((1, 65)),
            4,
            cv2.GC_INIT_WITH_MASK,
        )
    except cv2.error:
        return mask
    inside, out = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD), mask.copy()
    for change, marks, value in ((inside & (mask < 0.5), keep, 1), (~inside & (mask >= 0.5), drop, 0)):
        opened = cv2.morphologyEx(change.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        _, regions = cv2.connectedComponents(opened)
        for i in np.unique(regions[marks > 0]):
            if i:
                soft = cv2.GaussianBlur((regions == i).astype(np.float32), (0, 0), 1.2)
                out = np.maximum(out, soft) if value else np.minimum(out, 1 - soft)
    return painted(pixels, out, keep, drop)


def user(truth: Plane, start: Plane, ask: Callable[[Plane, Plane], Plane]) -> list[float]:
    """SAD after 0 to STEPS strokes."""
    keep, drop = np.zeros(truth.shape, np.uint8), np.zeros(truth.shape, np.uint8)
    mask, row = start, [sad(start, truth)]
    for _ in range(STEPS):
        if stroke(truth, mask, keep, drop):
            mask = ask(keep, drop)
        row.append(sad(mask, truth))
    return row


def sad(mask: Plane, truth: Plane) -> float:
    return float(np.abs(mask.astype(np.float64) - truth).sum() / 1000)


def box_around(truth: Plane, loose: float = 0.05) -> tuple[float, float, float, float]:
    """x, y, width, height of the truth's box, `loose` of a side larger on each side."""
    ys, xs = np.nonzero(truth > 0.5)
    top, bottom, left, right = ys.min(), ys.max() + 1, xs.min(), xs.max() + 1
    dy, dx = loose * (bottom - top), loose * (right - left)
    top, left = max(int(top - dy), 0), max(int(left - dx), 0)
    bottom, right = min(int(bottom + dy) + 1, truth.shape[0]), min(int(right + dx) + 1, truth.shape[1])
    return float(left), float(top), float(right - left), float(bottom - top)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", type=Path, metavar="SET")
    parser.add_argument("--rough-only", action="store_true", help="leave out what needs the network")
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every Nth picture")
    args = parser.parse_args()
    network = None if args.rough_only else load(dtype=choose_precision(torch.device("cpu")))
    for folder in args.sets:
        rows: dict[str, list[list[float]]] = {}
        seconds: list[float] = []
        for name, picture, truth in list(cases(folder))[:: args.every]:
            pixels = np.array(picture)
            image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
            for kind in ("wobbly", "threshold", "eighth"):
                rough = rough_mask(truth, kind)
                found = refine_rough(image, torch.from_numpy(rough)[None, None], detail=recipe(args.recipe).detail)[
                    0, 0
                ].numpy()
                rows.setdefault(kind, []).append([sad(rough, truth), sad(found, truth)])
            if network is None:
                continue
            seen = look_once(image, network, args.recipe)
            assert seen.alpha is not None
            start = seen.alpha[0, 0].numpy()

            def strokes(keep: Plane, drop: Plane, seen: Any = seen, seconds: list[float] = seconds) -> Plane:
                started = time.perf_counter()
                planes = [torch.from_numpy(p.astype(np.float32))[None, None] for p in (keep, drop)]
                found = answer(seen, Guidance(keep=planes[0], drop=planes[1])).alpha
                seconds.append(time.perf_counter() - started)
                return np.asarray(found[0, 0].numpy())

            for who, ask in (
                ("nuggy", strokes),
                ("grabCut", lambda k, d, p=pixels, s=start: grabcut(p, s, k, d)),
                ("painted", lambda k, d, p=pixels, s=start: painted(p, s, k, d)),
            ):
                rows.setdefault(who, []).append(user(truth, start, ask))
            x, y, w, h = box = box_around(truth)
            cut = np.zeros_like(start)
            cut[int(y) : int(y + h), int(x) : int(x + w)] = start[int(y) : int(y + h), int(x) : int(x + w)]
            boxed = answer(seen, Guidance(boxes=[box])).alpha[0, 0].numpy()
            rows.setdefault("box", []).append([sad(start, truth), sad(cut, truth), sad(boxed, truth)])
            print(name, *(f"{v:.1f}" for v in rows["nuggy"][-1]), "box", *(f"{v:.1f}" for v in rows["box"][-1]),
                  file=sys.stderr, flush=True)  # fmt: skip
        print(f"\n{folder.name}, {len(rows['wobbly'])} pictures\n")
        print("| | mean SAD, step by step | ratio to the first | worst step | steps over 1.02 |\n|---|---|---|---|---|")
        for who, given in rows.items():
            table = np.array(given)
            mean, steps = table.mean(0), table[:, 1:] / np.maximum(table[:, :-1], 0.1)
            told = " ".join(f"{v:.1f}" for v in mean), " ".join(f"{v:.2f}" for v in mean / mean[0])
            print(f"| {who} | {told[0]} | {told[1]} | {steps.max():.2f} | {(steps > 1.02).sum()} |")
        if seconds:
            print(f"\nan answer: median {np.median(seconds):.2f} s, longest {max(seconds):.2f} s", flush=True)


if __name__ == "__main__":
    main()
