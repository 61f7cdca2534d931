"""Makes the README's pictures: before-after.jpg, foreground.jpg, strokes.jpg and, with the source graph and rembg,
versus.jpg.

pip install -c constraints.txt '.[bench]'
python docs/make_pictures.py [--onnx GRAPH]
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from nuggy_nodes.cli.pixels import to_pixels, to_tensor
from nuggy_nodes.core import (
    Cutout,
    Guidance,
    Network,
    answer,
    choose_precision,
    cutout,
    estimate_foreground,
    load,
    look_once,
)
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


def strokes(network: Network) -> np.ndarray:
    """What the network found, over a chessboard; a stroke over what it missed; what is found then."""
    picture = photograph("kitten-on-lawn")
    drawn, line = picture.copy(), Image.new("L", picture.size)
    for on, colour in ((drawn, (20, 215, 80)), (line, 255)):
        ImageDraw.Draw(on).line((554, 860, 904, 938), colour, 16)
    image = to_tensor(np.array(picture), torch.device("cpu"))
    seen = look_once(image, network, "balanced")
    said = Guidance(keep=to_tensor(np.array(line), torch.device("cpu")))
    y, x = torch.meshgrid(*(torch.arange(n) // 14 for n in image.shape[-2:]), indexing="ij")
    board = (0.85 + 0.15 * ((x + y) % 2).float()).expand(1, 3, -1, -1)
    found = [answer(seen, guidance).over(board) for guidance in (Guidance(), said)]
    shown = [found[0], to_tensor(np.array(drawn), torch.device("cpu")), found[1]]
    return row(shown, (330, 180, 1480, 1000), (561, 400))


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
    Image.fromarray(strokes(network)).save(ROOT / "docs" / "strokes.jpg", quality=86)
    if args.onnx:
        Image.fromarray(versus(network, args.onnx)).save(ROOT / "docs" / "versus.jpg", quality=86)


if __name__ == "__main__":
    main()
