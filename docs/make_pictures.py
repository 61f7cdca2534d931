"""Makes before-after.jpg for the README:  python docs/make_pictures.py"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from nuggy_nodes.cli.work import to_pixels, to_tensor
from nuggy_nodes.core import choose_precision, cutout, load
from nuggy_nodes.core.composite import colour_plane

ROOT = Path(__file__).parents[1]
COLOURS = ((0.16, 0.44, 0.62), (0.93, 0.36, 0.25))


def main() -> None:
    network = load(dtype=choose_precision(torch.device("cpu")))
    rows = []
    for name, box in (("kitten-on-lawn", (300, 150, 1300, 850)), ("dragonfly-on-lavender", (600, 60, 1600, 760))):
        photograph = Image.open(ROOT / "samples" / f"{name}.jpg").convert("RGB")
        image = to_tensor(np.array(photograph), torch.device("cpu"))
        result = cutout(image, network, "best")
        shown = [image] + [result.over(colour_plane(c, image)) for c in COLOURS]
        tiles = [Image.fromarray(to_pixels(x, np.uint8)).crop(box).resize((500, 350), Image.LANCZOS) for x in shown]
        rows.append(np.hstack([np.asarray(t) for t in tiles]))
    Image.fromarray(np.vstack(rows)).save(ROOT / "docs" / "before-after.jpg", quality=86)


if __name__ == "__main__":
    main()
