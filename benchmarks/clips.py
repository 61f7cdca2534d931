"""Flicker and error of clips' masks, frame by frame and steadied: which --steady, chosen with a sequence left out.

    python benchmarks/clips.py DIR [--recipe fast] [--frames 12] [--keep masks.npz]

DIR/NAME/image/*.jpg are a clip's frames, DIR/NAME/alpha/*.png the truth (DAVIS 2016: JPEGImages, Annotations). Flicker
is the mean change of alpha from frame to frame over the pixels in which the photograph does not change (3x3 mean of the
squared difference under STILL^2, and the truth the same); error is the mean absolute difference from the truth. A
window may be chosen where on the other sequences its error is at most HARM of frame by frame's; of those, the one with
the least flicker.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from nuggy_nodes.core import choose_precision, cutout, load, steady_masks
from nuggy_nodes.core.ops.box_filter import box_mean

STILL = 0.02  # root mean square of sRGB-encoded values
HARM = 1.005
WINDOWS = (0, 3, 5)


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


def flicker(images: Sequence[torch.Tensor], truths: Sequence[torch.Tensor], masks: Sequence[torch.Tensor]) -> float:
    """Thousandths."""
    changes = []
    for i in range(1, len(images)):
        where = still(images[i - 1], images[i]) & (truths[i - 1] == truths[i])
        changes.append(float(((masks[i] - masks[i - 1]).abs() * where).sum() / where.sum().clamp(min=1)))
    return 1000 * float(np.mean(changes))


def error(truths: Sequence[torch.Tensor], masks: Sequence[torch.Tensor]) -> float:
    """Thousandths."""
    return 1000 * float(np.mean([float((m - t).abs().mean()) for m, t in zip(masks, truths)]))


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--recipe", default="fast")
    p.add_argument("--frames", type=int, default=12)
    p.add_argument("--keep", type=Path, help="masks are read from here, or stored here")
    args = p.parse_args()
    names = sorted(f.name for f in args.folder.iterdir() if (f / "image").is_dir())
    kept = dict(np.load(args.keep)) if args.keep and args.keep.exists() else {}
    network = None
    table: dict[str, dict[int, tuple[float, float]]] = {}
    for name in names:
        images, truths = sequence(args.folder / name, args.frames)
        if name not in kept:
            network = network or load(dtype=choose_precision(torch.device("cpu")))
            found = [cutout(image, network, args.recipe).alpha for image in images]
            kept[name] = torch.cat(found).half().numpy()
            if args.keep:
                np.savez(args.keep, **kept)
        masks = list(torch.from_numpy(kept[name]).float().split(1))
        row = {}
        for window in WINDOWS:
            made = list(steady_masks(zip(images, masks), window)) if window else masks
            row[window] = flicker(images, truths, made), error(truths, made)
        table[name] = row
        print(f"{name:18}" + "  ".join(f"{w}: {f:6.2f} {e:6.2f}" for w, (f, e) in row.items()), flush=True)
    chosen = {}
    for name in names:
        others = [table[n] for n in names if n != name]
        sums = {w: np.sum([o[w] for o in others], 0) for w in WINDOWS}
        fit = [w for w in WINDOWS if sums[w][1] <= HARM * sums[0][1]]
        chosen[name] = min(fit, key=lambda w: sums[w][0])
    before, after = (np.mean([table[n][w] for n, w in ws], 0) for ws in ([(n, 0) for n in names], chosen.items()))
    print("chosen with the sequence left out:", " ".join(f"{n} {w}" for n, w in chosen.items()))
    print(f"flicker {before[0]:.2f} to {after[0]:.2f} ({after[0] / before[0]:.2f}), "
          f"error {before[1]:.2f} to {after[1]:.2f} ({after[1] / before[1]:.3f}), thousandths")  # fmt: skip


if __name__ == "__main__":
    main()
