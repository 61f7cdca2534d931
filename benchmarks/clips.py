"""Flicker and error of clips' masks, frame by frame and steadied: which way, chosen with a sequence left out.

    python benchmarks/clips.py DIR [--recipe fast] [--frames 10] [--keep masks.npz]

DIR/NAME/image/*.jpg are a clip's frames, DIR/NAME/alpha/*.png the truth (DAVIS 2016: JPEGImages, Annotations). Flicker
is the mean change of alpha from frame to frame over the pixels in which the photograph does not change (3x3 mean of the
squared difference under STILL^2, and the truth the same); `moving` is that of what moves: the frame before is carried
along the motion, then compared in the same way. Error is the mean absolute difference from the truth. A way may be
chosen where on the other sequences its error is at most HARM of frame by frame's; of those, the one with the least
flicker of both kinds. Seconds are of the processor, for a frame, for the steadying alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from nuggy_nodes.core import choose_precision, cutout, load, steady_masks
from nuggy_nodes.core.ops.box_filter import box_mean
from nuggy_nodes.core.refine.motion import Motion

STILL = 0.02  # root mean square of sRGB-encoded values
HARM = 1.005
MOTION = Motion()
# frames that tell a mask where it stands still, then along the motion; the last is what clips get
WAYS = {"0": (0, 0), "5": (5, 0), "0+5": (0, 5), "5+5": (5, 5)}


def read(path: Path) -> torch.Tensor:
    """[1,C,H,W], 0..1."""
    pixels = np.array(Image.open(path))
    planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(planes))[None].float() / 255


def sequence(folder: Path, most: int) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Frames and truths of a clip."""
    images = sorted((folder / "image").iterdir())[:most]
    truths = [folder / "alpha" / f"{p.stem}.png" for p in images]
    return [read(p) for p in images], [(read(p)[:, :1] > 0.5).float() for p in truths]


def still(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """[1,1,H,W] bool: where two photographs show the same."""
    return box_mean((before - after).square().mean(1, keepdim=True), 1) < STILL**2


def flicker(images: Sequence[torch.Tensor], truths: Sequence[torch.Tensor], masks: Sequence[torch.Tensor],
            moving: bool = False) -> float:  # fmt: skip
    """Thousandths. moving: along the motion."""
    changes = []
    for i in range(1, len(images)):
        before = [images[i - 1], truths[i - 1], masks[i - 1]]
        if moving:
            before = MOTION.carried(before, MOTION.small(images[i - 1]), MOTION.small(images[i]))
        where = still(before[0], images[i]) & ((before[1] - truths[i]).abs() < 0.01)
        changes.append(float(((masks[i] - before[2]).abs() * where).sum() / where.sum().clamp(min=1)))
    return 1000 * float(np.mean(changes))


def steadied(images: Sequence[torch.Tensor], masks: Sequence[torch.Tensor], way: tuple[int, int]) -> list[torch.Tensor]:
    """Masks by one of WAYS."""
    made = list(masks)
    for window, motion in zip(way, (None, MOTION)):
        if window:
            made = list(steady_masks(zip(images, made), window, motion=motion))
    return made


def error(truths: Sequence[torch.Tensor], masks: Sequence[torch.Tensor]) -> float:
    """Thousandths."""
    return 1000 * float(np.mean([float((m - t).abs().mean()) for m, t in zip(masks, truths)]))


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--recipe", default="fast")
    p.add_argument("--frames", type=int, default=10)
    p.add_argument("--keep", type=Path, help="masks are read from here, or stored here")
    args = p.parse_args()
    names = sorted(f.name for f in args.folder.iterdir() if (f / "image").is_dir())
    kept = dict(np.load(args.keep)) if args.keep and args.keep.exists() else {}
    network = None
    table: dict[str, dict[str, np.ndarray]] = {}
    for name in names:
        images, truths = sequence(args.folder / name, args.frames)
        if name not in kept:
            network = network or load(dtype=choose_precision(torch.device("cpu")))
            found = [cutout(image, network, args.recipe).alpha for image in images]
            kept[name] = torch.cat(found).half().numpy()
            if args.keep:
                np.savez(args.keep, **kept)
        masks = list(torch.from_numpy(kept[name]).float().split(1))
        table[name] = {}
        for way, windows in WAYS.items():
            started = time.process_time()
            made = steadied(images, masks, windows)
            taken = (time.process_time() - started) / len(images)
            table[name][way] = np.array([flicker(images, truths, made), flicker(images, truths, made, moving=True),
                                         error(truths, made), taken])  # fmt: skip
        print(f"{name:16}" + "  ".join(f"{w}: {f:5.2f} {m:5.2f} {e:5.2f}" for w, (f, m, e, _) in table[name].items()),
              flush=True)  # fmt: skip
    print("way: flicker, moving, error (thousandths), seconds a frame")
    for way in WAYS:
        print(f"{way:4}" + "{:8.2f}{:8.2f}{:8.2f}{:8.2f}".format(*np.mean([t[way] for t in table.values()], 0)))
    chosen = {}
    for name in names:
        sums = {w: np.sum([table[n][w] for n in names if n != name], 0) for w in WAYS}
        fit = [w for w in WAYS if sums[w][2] <= HARM * sums["0"][2]]
        chosen[name] = min(fit, key=lambda w: sums[w][0] / sums["0"][0] + sums[w][1] / sums["0"][1])
    before, after = (np.mean([table[n][w] for n, w in ws], 0) for ws in ([(n, "0") for n in names], chosen.items()))
    print("chosen with the sequence left out:", " ".join(f"{n} {w}" for n, w in chosen.items()))
    for i, what in enumerate(("flicker", "moving", "error")):
        print(f"{what} {before[i]:.2f} to {after[i]:.2f} ({after[i] / before[i]:.2f})", end=", " if i < 2 else "\n")


if __name__ == "__main__":
    main()
