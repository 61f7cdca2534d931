"""Do closer looks harm a large photograph? A measure that needs no truth.

    python benchmarks/large.py FILE... [--recipe best] [--save DIR]

For every FILE of 2048 pixels or more, three answers: the recipe's; the recipe's without closer looks; the recipe's for
the photograph reduced to 1024 pixels. Columns, all away from edges (farther than 12 pixels at 1024 from where the
reduced answer is undecided) but the last two:

- differs: mean difference between the answer, reduced, and the answer of the reduced photograph, in thousandths;
- lost: share of the body of the answer without looks (alpha over .95) that the answer has below .5, in thousandths;
- brought: what the answer has above .5 where there was none (alpha under .05), over the same body, in thousandths;
- floating: pieces of the answer (alpha over .5) that touch no piece of the answer without looks, and the pixels of the
  largest;
- seconds of the recipe, and of it without closer looks.

All three are 0 for a recipe without closer looks, but for the first, which then says what the reduction itself does.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from nuggy_nodes.core import choose_precision, cutout, load  # noqa: E402
from nuggy_nodes.core.recipes import recipe as find_recipe  # noqa: E402

LARGE, SMALL = 2048, 1024  # pixels of the longer side
NEAR = 12  # pixels at SMALL around an undecided one that count as edge
SURE, BODY = 0.05, 0.5


@dataclass
class Harm:
    """What closer looks did to one photograph, as the columns above have it."""

    differs: float
    lost: float
    brought: float
    floating: int
    largest: int

    def cells(self) -> str:
        """The cells of its row."""
        return f"{self.differs:.1f} | {self.lost:.1f} | {self.brought:.1f} | {self.floating} | {self.largest}"


def harm(found: Tensor, without: Tensor, reduced: Tensor) -> Harm:
    """Masks [1,1,H,W], 0..1, of a photograph with and without closer looks, and [1,1,h,w] of it reduced."""
    size = reduced.shape[-2:]
    small, plain = (F.interpolate(m, size, mode="area") for m in (found, without))
    undecided = ((reduced > SURE) & (reduced < 1 - SURE)) | ((plain > SURE) & (plain < 1 - SURE))
    far = F.max_pool2d(undecided.float(), 2 * NEAR + 1, 1, NEAR) == 0
    body = float((plain > 1 - SURE).sum().clamp(min=1))
    per = 1000 / body
    count, largest = floating(found[0, 0] > BODY, without[0, 0] > BODY)
    return Harm(
        differs=1000 * float((small - reduced).abs()[far].mean()) if bool(far.any()) else 0.0,
        lost=per * float(((plain > 1 - SURE) & (small < BODY) & far).sum()),
        brought=per * float(((plain < SURE) & (small > BODY) & far).sum()),
        floating=count,
        largest=largest,
    )


def floating(found: Tensor, before: Tensor) -> tuple[int, int]:
    """How many 8-connected pieces of `found` (bool [H,W]) touch nothing of `before`, and the pixels of the largest."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(found.numpy().astype(np.uint8), connectivity=8)
    held = np.zeros(count, bool)
    held[labels[before.numpy()]] = True
    held[0] = True
    loose = stats[~held, cv2.CC_STAT_AREA]
    return len(loose), int(loose.max(initial=0))


def tensor(image: Image.Image) -> Tensor:
    """A photograph as [1,3,H,W], 0..1."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float().div_(255)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--recipe", default="best")
    parser.add_argument("--weights", type=Path, help="weights (default: its own)")
    parser.add_argument("--save", type=Path, metavar="DIR", help="save without looks and with, side by side")
    args = parser.parse_args()

    network = load(args.weights, "cpu", choose_precision(torch.device("cpu")))
    recipe = find_recipe(args.recipe)
    print(f"{args.recipe}, {recipe.looks - 1} closer looks at most; thousandths\n")
    print("| | megapixels | differs | lost | brought | floating | largest | s | s without |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for path in args.files:
        image = Image.open(path).convert("RGB")
        if max(image.size) < LARGE:
            print(f"{path.name}: left out, {max(image.size)} pixels on its longer side", file=sys.stderr)
            continue
        picture, started = tensor(image), time.perf_counter()
        found = cutout(picture, network, recipe).alpha
        looked = time.perf_counter()
        without = cutout(picture, network, replace(recipe, looks=1)).alpha
        done = time.perf_counter()
        k = SMALL / max(image.size)
        little = image.resize((round(image.width * k), round(image.height * k)), Image.Resampling.BOX)
        row = harm(found, without, cutout(tensor(little), network, recipe).alpha)
        print(
            f"| {path.stem} | {image.width * image.height / 1e6:.1f} | {row.cells()} | "
            f"{looked - started:.1f} | {done - looked:.1f} |",
            flush=True,
        )
        if args.save:
            args.save.mkdir(parents=True, exist_ok=True)
            both = F.interpolate(torch.cat([without, found], 3), scale_factor=k, mode="area")[0, 0]
            Image.fromarray((both.numpy() * 255).round().astype(np.uint8)).save(args.save / f"{path.stem}.png")


if __name__ == "__main__":
    main()
