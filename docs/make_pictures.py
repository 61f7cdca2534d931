"""Makes the README's pictures: before-after.jpg, foreground.jpg and, with the source graph and rembg, versus.jpg.

pip install -c constraints.txt '.[bench]'
python docs/make_pictures.py [--onnx GRAPH]
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from nuggy_nodes.cli.pixels import to_pixels, to_tensor
from nuggy_nodes.core import Cutout, Network, choose_precision, cutout, estimate_foreground, load
from nuggy_nodes.core.ops.colour import colour_plane
from nuggy_nodes.core.ops.composite import over

ROOT = Path(__file__).parents[1]
COLOURS = ((0.16, 0.44, 0.62), (0.93, 0.36, 0.25))
VERSUS = (
    ("dragonfly-on-lavender", (820, 110, 1220, 410)),
    ("kitten-on-lawn", (440, 270, 920, 630)),
    ("perched-osprey", (460, 180, 1260, 780)),
)
WHITE = (1.0, 1.0, 1.0)
Box = tuple[int, int, int, int]


def photograph(name: str) -> Image.Image:
    return Image.open(ROOT / "samples" / f"{name}.jpg").convert("RGB")


def cut(name: str, network: Network, recipe: str = "best") -> Cutout:
    return cutout(to_tensor(np.array(photograph(name)), torch.device("cpu")), network, recipe)


def row(pictures: list[torch.Tensor], box: Box, size: tuple[int, int]) -> np.ndarray:
    tiles = [Image.fromarray(to_pixels([x], np.uint8)).crop(box).resize(size, Image.LANCZOS) for x in pictures]
    return np.hstack([np.asarray(t) for t in tiles])


def before_after(network: Network) -> np.ndarray:
    """A photograph, and the cut-out over two colours."""
    rows = []
    for name, box in (("kitten-on-lawn", (300, 150, 1300, 850)), ("dragonfly-on-lavender", (600, 60, 1600, 760))):
        result = cut(name, network)
        shown = [result.image] + [result.over(colour_plane(c, result.image)) for c in COLOURS]
        rows.append(row(shown, box, (500, 350)))
    return np.vstack(rows)


def rim(network: Network) -> np.ndarray:
    """A photograph, and the cut-out over white: with the photograph's own colours, and with the subject's."""
    result = cut("kitten-on-lawn", network)
    white = colour_plane(WHITE, result.image)
    plain = over(estimate_foreground(result.image, result.alpha, "none"), result.alpha, white)
    boxes = ((580, 290, 880, 440), (450, 270, 750, 420))  # the head's top; an ear and a cheek
    return np.vstack([row([result.image, plain, result.over(white)], box, (480, 240)) for box in boxes])


def versus(network: Network, onnx: Path) -> np.ndarray:
    """Parts of photographs and their cut-outs over a colour: rembg with the same network, the seed's recipe, best."""
    sys.path.insert(0, str(ROOT))
    from benchmarks.quality import rembg_removers

    removers, why_not = rembg_removers(onnx)
    if why_not:
        sys.exit(why_not)
    rows = []
    for name, box in VERSUS:
        ours = cut(name, network)
        colour = colour_plane(COLOURS[0], ours.image)
        mask = torch.from_numpy(removers["rembg"](photograph(name)))[None, None]
        theirs = over(ours.image, mask, colour)
        seed = cut(name, network, "demo").over(colour)
        rows.append(row([ours.image, theirs, seed, ours.over(colour)], box, (400, 300)))
    return np.vstack(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onnx", type=Path, help="the source ONNX graph, for rembg (weights/README.md)")
    args = parser.parse_args()
    network = load(dtype=choose_precision(torch.device("cpu")))
    Image.fromarray(before_after(network)).save(ROOT / "docs" / "before-after.jpg", quality=86)
    Image.fromarray(rim(network)).save(ROOT / "docs" / "foreground.jpg", quality=88)
    if args.onnx:
        Image.fromarray(versus(network, args.onnx)).save(ROOT / "docs" / "versus.jpg", quality=86)


if __name__ == "__main__":
    main()
