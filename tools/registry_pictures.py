"""Draws the icon and the banner that ComfyUI's registry shows: docs/icon.jpg, docs/banner.jpg.

    python tools/registry_pictures.py

The kitten of samples/, cut out by Nuggy itself, over the squares of transparency and over a colour.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from nuggy_nodes.core import cutout, load  # noqa: E402

ICON, BANNER = (400, 400), (1260, 540)  # the registry's: at most 400 x 400; 21 to 9
COLOUR, DARK, LIGHT = (84, 122, 168), (34, 40, 49), (245, 245, 245)


def kitten(width: int) -> Image.Image:
    """The cut-out, cropped to what there is of it, RGBA."""
    with Image.open(ROOT / "samples" / "kitten-on-lawn.jpg") as f:
        photo = f.convert("RGB").resize((1200, round(1200 * f.height / f.width)))
    x = torch.from_numpy(np.array(photo)).movedim(-1, 0)[None].float() / 255
    rgba = (cutout(x, load(), "balanced").rgba()[0].movedim(0, -1).clamp(0, 1) * 255).round().byte().numpy()
    found = Image.fromarray(rgba)
    found = found.crop(found.getchannel("A").point(lambda v: 255 * (v > 40)).getbbox())
    return found.resize((width, round(width * found.height / found.width)), Image.Resampling.LANCZOS)


def ground(size: tuple[int, int], split: float, square: int) -> Image.Image:
    """Squares of transparency left of `split` of the width, the colour right of it."""
    width, height = size
    y, x = np.indices((height, width))
    squares = np.where((x // square + y // square) % 2, 214, 245)[..., None].repeat(3, -1)
    plain = np.broadcast_to(np.array(COLOUR), squares.shape)
    return Image.fromarray(np.where(x[..., None] < split * width, squares, plain).astype(np.uint8))


def icon() -> Image.Image:
    made, cut = ground(ICON, 0.5, 25), kitten(560)
    made.paste(cut, (-15, 50), cut)
    return made


def banner() -> Image.Image:
    made, cut = ground(BANNER, 0.72, 30), kitten(590)
    ImageDraw.Draw(made).rectangle((0, 0, round(0.44 * BANNER[0]), BANNER[1]), fill=DARK)
    made.paste(cut, (BANNER[0] - cut.width - 30, BANNER[1] - cut.height - 20), cut)
    pen = ImageDraw.Draw(made)
    pen.text((64, 150), "Nuggy", font=ImageFont.load_default(120), fill=LIGHT)
    pen.text((70, 300), "Background removal that\nkeeps hair, fur and strings", font=ImageFont.load_default(34),
             fill=LIGHT, spacing=12)  # fmt: skip
    return made


def main() -> None:
    for name, picture in (("icon", icon()), ("banner", banner())):
        picture.save(ROOT / "docs" / f"{name}.jpg", quality=88)


if __name__ == "__main__":
    main()
