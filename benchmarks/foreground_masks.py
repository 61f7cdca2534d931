"""Foreground colours behind masks as they are found, not as they were measured.

    python benchmarks/foreground_masks.py FOLDER [--recipe balanced]

FOLDER as for foreground.py. Each photograph is cut out by a recipe, and composited over black, white and saturated
green with the colours of each contestant; the truth is the composite of the measured alpha and its closed-form
foreground. Mean absolute error where the found mask is neither 0 nor 1: all of it, the part where the mask is right to
0.1 (there the colours decide), and the rest (there the mask's error does).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from foreground import COLOURS, CONTESTANTS, cases, composite

from nuggy_nodes.core import choose_precision, cutout, load


def errors(colours: np.ndarray, mask: np.ndarray, truth: np.ndarray, alpha: np.ndarray) -> list[float]:
    soft = (mask >= 1 / 255) & (mask < 1 - 0.5 / 255)
    right = soft & (np.abs(mask - alpha) < 0.1)
    parts = [
        np.mean(
            [np.abs(composite(colours, mask, c) - composite(truth, alpha, c))[where].mean() for c in COLOURS.values()]
        )
        for where in (soft, right, soft & ~right)
    ]
    return [float(p) for p in parts]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recipe", default="balanced")
    options = parser.parse_args()
    network = load(dtype=choose_precision(torch.device("cpu")))
    photographs = cases(options.folder)["photograph"]
    masks = [
        cutout(torch.from_numpy(image).permute(2, 0, 1)[None].contiguous(), network, options.recipe).alpha[0, 0].numpy()
        for image, _, _ in photographs
    ]
    print("| composite error | soft parts of the mask | where it is right to 0.1 | elsewhere |\n|---|---:|---:|---:|")
    for name, estimate in CONTESTANTS.items():
        rows = [errors(estimate(i, m), m, truth, alpha) for (i, alpha, truth), m in zip(photographs, masks)]
        print(f"| {name} | " + " | ".join(f"{x:.4f}" for x in np.mean(rows, 0)) + " |", flush=True)


if __name__ == "__main__":
    main()
