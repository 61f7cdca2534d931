"""How much of structure 1 to 4 pixels wide survives: recall, precision and contrast by width, against the demo.

    python benchmarks/thin.py [--recipes raw demo fast balanced best] [--scale 1]
        [--backgrounds samples] [--weights FILE] [--sheet DIR]

The pictures are drawn (thin_scenes.py), so their alpha is exact. Around the strands of one width lies a band of
BAND pixels, less what is within 3 pixels of a solid body. Pooled over the set, with p the mask and g the truth there:

    recall     sum min(p, g) / sum g: the share of the true alpha that the mask has
    precision  sum min(p, g) / sum p: the share of the mask's alpha that is true
    contrast   (mean of p on the strands, weighted by g, less mean of p in the gaps, weighted by 1 - g), over the same
               for g itself: 1 where strands stand out from their gaps as they do in truth, 0 where a net is one patch

A mask that fills a net has all of the recall; only with precision or contrast beside it does recall say something.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.thin_canvas import WIDTHS, Canvas  # noqa: E402
from benchmarks.thin_scenes import draw  # noqa: E402
from nuggy_nodes.core.network.precision import choose_precision  # noqa: E402
from nuggy_nodes.core.network.weights import Network, load  # noqa: E402
from nuggy_nodes.core.ops.resample import enlarge  # noqa: E402
from nuggy_nodes.core.pipeline import cutout  # noqa: E402
from nuggy_nodes.core.segment.predict import predict  # noqa: E402

BAND = 8  # pixels
Mask = Callable[[np.ndarray], np.ndarray]


def bands(canvas: Canvas) -> np.ndarray:
    """[H,W] uint8: the width of the nearest strand within BAND pixels, 0 elsewhere and beside bodies."""
    label = np.where(canvas.thin > 0.02, canvas.label, 0).astype(np.uint8)
    empty = (label == 0).astype(np.uint8)
    distance, nearest = cv2.distanceTransformWithLabels(empty, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    width_of = np.zeros(nearest.max() + 1, np.uint8)
    width_of[nearest[empty == 0]] = label[empty == 0]
    out = width_of[nearest]
    body = cv2.dilate((canvas.alpha - canvas.thin > 0.02).astype(np.uint8), np.ones((7, 7), np.uint8))
    out[(distance > BAND) | (body > 0)] = 0
    return out


def tally(mask: np.ndarray, truth: np.ndarray, band: np.ndarray) -> np.ndarray:
    """[4,6] sums for each width: min(p,g), g, p, p*g, pixels, g*g."""
    rows = []
    for width in WIDTHS:
        p, g = mask[band == width], truth[band == width]
        parts = (np.minimum(p, g), g, p, p * g, np.ones_like(g), g * g)
        rows.append([part.sum(dtype=np.float64) for part in parts])
    return np.array(rows)


def scores(sums: np.ndarray) -> tuple[float, float, float]:
    """Recall, precision and contrast from the sums of one width, or of several added up."""
    both, g, p, pg, n, gg = sums

    def stands_out(of_strand: float, total: float) -> float:
        return of_strand / g - (total - of_strand) / (n - g)

    return both / g, both / max(p, 1e-9), stands_out(pg, p) / stands_out(gg, g)


def masks(names: Iterable[str], network: Network) -> dict[str, Mask]:
    """Name to function, [H,W,3] uint8 to [H,W] float32: `raw` (the network alone, one view) or a recipe's name."""

    def of(name: str) -> Mask:
        def run(picture: np.ndarray) -> np.ndarray:
            image = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
            if name == "raw":
                alpha = enlarge(predict(network, image), *picture.shape[:2])
            else:
                alpha = cutout(image, network, name).alpha
            return alpha[0, 0].clamp(0, 1).numpy()

        return run

    return {name: of(name) for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", default=["raw", "demo", "fast", "balanced", "best"])
    parser.add_argument("--scale", type=float, default=1.0, help="1 draws 1200x900 pixels, 3 draws 3600x2700")
    parser.add_argument("--backgrounds", type=Path, default=ROOT / "samples", help="a folder of photographs")
    parser.add_argument("--weights", type=Path, help="weights for Nuggy (default: its own)")
    parser.add_argument("--sheet", type=Path, help="write every picture with its truth and masks into this folder")
    args = parser.parse_args()
    torch.set_grad_enabled(False)
    device = torch.device("cpu")
    candidates = masks(args.recipes, load(args.weights, device, choose_precision(device)))
    sums = {name: np.zeros((len(WIDTHS), 6)) for name in candidates}
    seconds = dict.fromkeys(candidates, 0.0)
    count = 0
    for scene, canvas in draw(args.scale, args.backgrounds if args.backgrounds.is_dir() else None):
        picture, band, row = canvas.picture, bands(canvas), [canvas.picture, canvas.alpha]
        for name, mask in candidates.items():
            started = time.perf_counter()
            alpha = mask(picture)
            seconds[name] += time.perf_counter() - started
            sums[name] += tally(alpha, canvas.alpha, band)
            row.append(alpha)
        count += 1
        if args.sheet:
            args.sheet.mkdir(parents=True, exist_ok=True)
            tiles = [r[..., ::-1] if r.ndim == 3 else np.dstack([np.uint8(np.round(r * 255))] * 3) for r in row]
            cv2.imwrite(str(args.sheet / f"{scene}.png"), np.hstack(tiles))
    print(f"{count} pictures of {band.shape[1]}x{band.shape[0]}; recall / precision / contrast\n")
    print("| | " + " | ".join(f"{w} px" for w in WIDTHS) + " | 1-2 px | s a picture |\n|" + "---|" * (len(WIDTHS) + 3))
    for name, s in sums.items():
        cells = [scores(part) for part in (*s, s[:2].sum(0))]
        print(f"| {name} | " + " | ".join(" / ".join(f"{v:.2f}" for v in c) for c in cells), end="")
        print(f" | {seconds[name] / count:.2f} |", flush=True)


if __name__ == "__main__":
    main()
