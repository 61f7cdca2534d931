"""Views spread over neighbouring frames of a clip, so that a frame costs one pass, beside every view on every frame.

    python benchmarks/clip_views.py DIR [--frames 10] [--keep answers.npz]

DIR as for clips.py. Answers of other frames are carried to the own one along the motion (DIS), as far as the photograph
that is carried beside them agrees with the own one (weight 4^-(d / 0.06)^2; the rest is the own view). Compared are
the network's answers with the levels of the recipes on a grid of 512, before the refinement, which is the same for all:
mean absolute difference from the truth, frame by frame and after steady_masks over 5 frames, thousandths. Passes are of
1024x1024.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from clips import error, sequence

from nuggy_nodes.core import choose_precision, load, steady_masks
from nuggy_nodes.core.ops.box_filter import box_mean
from nuggy_nodes.core.ops.resample import enlarge, resample
from nuggy_nodes.core.refine.motion import SIDE, Motion
from nuggy_nodes.core.segment.consensus import combine
from nuggy_nodes.core.segment.predict import predict
from nuggy_nodes.core.segment.views import parse_view

MOTION, TOLERANCE = Motion(), 0.06
BALANCED = ("896", "896f", "640fp15")


class Clip:
    """Frames, truths and the views' answers, all on one grid."""

    def __init__(self, folder: Path, frames: int, ask: Callable[[str, torch.Tensor, str], torch.Tensor]):
        images, truths = sequence(folder, frames)
        self.names = [f"{folder.name}/{p.stem}" for p in sorted((folder / "image").iterdir())[:frames]]
        self.images, self._ask, self._big = [resample(i, (SIDE, SIDE)) for i in images], ask, images
        self.truths = [resample(t, (SIDE, SIDE)) for t in truths]
        self.small = [MOTION.small(i) for i in images]

    def answer(self, i: int, view: str) -> torch.Tensor:
        """Of a view of frame i."""
        return enlarge(self._ask(self.names[i], self._big[i], view), SIDE, SIDE)

    def carried(self, i: int, j: int, view: str, own: str) -> torch.Tensor:
        """A view's answer for frame j as far as it holds in frame i, elsewhere frame i's for the view `own`."""
        if i == j:
            return self.answer(i, view)
        image, answer = MOTION.carried((self.images[j], self.answer(j, view)), self.small[j], self.small[i])
        square = box_mean((image - self.images[i]).square().mean(1, keepdim=True), 1)
        return torch.lerp(self.answer(i, own), answer, torch.exp2(-2 * square / TOLERANCE**2))


def together(answers: list[torch.Tensor], views: Sequence[str], how: str) -> torch.Tensor:
    """Answers as one, and the recipes' levels."""
    told = [parse_view(v) for v in views]
    if how == "median":
        return levels(torch.stack(answers).median(0).values)
    sizes, padded = [v.size - 2 * v.margin for v in told], [v.margin > 0 for v in told]
    return levels(combine(torch.stack(answers), how, sizes, padded))


def levels(alpha: torch.Tensor) -> torch.Tensor:
    return ((alpha - 0.1) / 0.8).clamp(0, 1)


def every(*views: str) -> Callable[[Clip, int], torch.Tensor]:
    """All views of every frame, as the recipes have it."""
    how = "regions" if len(views) > 1 else "mean"
    return lambda clip, i: together([clip.answer(i, v) for v in views], views, how)


def spread(clip: Clip, i: int) -> torch.Tensor:
    """balanced's: 896, every other frame mirrored, and the view with a continued border for every fourth."""
    frames = range(len(clip.images))
    whole, own = {v: [j for j in frames if j % 2 == n] for n, v in enumerate(BALANCED[:2])}, BALANCED[i % 2]
    whole[BALANCED[2]] = [j for j in frames if j % 4 == 0]
    nearest = {v: min(js, key=lambda j: abs(j - i)) for v, js in whole.items()}
    return together([clip.carried(i, nearest[v], v, own) for v in BALANCED], BALANCED, "regions")


def neighbours(views: Sequence[str], reach: int, how: str) -> Callable[[Clip, int], torch.Tensor]:
    """One view a frame, `views` in turn, and those of the frames beside it."""

    def made(clip: Clip, i: int) -> torch.Tensor:
        near = [i, *(j for j in range(max(i - reach, 0), min(i + reach + 1, len(clip.images))) if j != i)]
        shown = [views[j % len(views)] for j in near]
        return together([clip.carried(i, j, v, shown[0]) for j, v in zip(near, shown)], shown, how)

    return made


PAIR = ("1024", "1024f")
WAYS = {
    "fast": (1.0, every("1024")),
    "balanced": (1.9, every(*BALANCED)),
    "1024 1024f": (2.0, every(*PAIR)),
    "balanced's, spread": (0.86, spread),
    "1024 and f in turn, regions of 3": (1.0, neighbours(PAIR, 1, "regions")),
    "1024 and f in turn, mean of 3": (1.0, neighbours(PAIR, 1, "mean")),
    "1024 and f in turn, median of 3": (1.0, neighbours(PAIR, 1, "median")),
    "1024, regions of 3": (1.0, neighbours(PAIR[:1], 1, "regions")),
    "1024, median of 3": (1.0, neighbours(PAIR[:1], 1, "median")),
    "1024, median of 5": (1.0, neighbours(PAIR[:1], 2, "median")),
}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--frames", type=int, default=10)
    p.add_argument("--keep", type=Path, help="answers are read from here, or stored here")
    args = p.parse_args()
    kept = dict(np.load(args.keep)) if args.keep and args.keep.exists() else {}
    network = load(dtype=choose_precision(torch.device("cpu")))

    def ask(name: str, image: torch.Tensor, view: str) -> torch.Tensor:
        key = f"{name}/{view}"
        if key not in kept:
            kept[key] = predict(network, image, [parse_view(view)], "mean").half().numpy()
        return torch.from_numpy(kept[key]).float()

    table: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for folder in sorted(f for f in args.folder.iterdir() if (f / "image").is_dir()):
        clip = Clip(folder, args.frames, ask)
        for way, (_, made) in WAYS.items():
            masks = [made(clip, i) for i in range(len(clip.images))]
            steady = list(steady_masks(zip(clip.images, masks), 5))
            table[way].append((error(clip.truths, masks), error(clip.truths, steady)))
        print(f"{folder.name:16}" + "  ".join(f"{t[-1][0]:.2f}" for t in table.values()), flush=True)
        if args.keep:
            np.savez(args.keep, **kept)
    for way, (passes, _) in WAYS.items():
        print(f"{way:34} {passes:.2f} passes, error {{:.2f}}, steady {{:.2f}}".format(*np.mean(table[way], 0)))


if __name__ == "__main__":
    main()
