"""Photographs and cut-outs as the drawn pages show them."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .server import REPOSITORY


def picture(name: str, width: int = 960) -> np.ndarray:
    with Image.open(REPOSITORY / "samples" / name) as f:
        found = f.convert("RGB")
    return np.asarray(found.resize((width, round(width * found.height / found.width)), Image.Resampling.LANCZOS))


def on_checks(rgba: np.ndarray) -> np.ndarray:
    """A cut-out over the grey squares that stand for transparency."""
    y, x = np.indices(rgba.shape[:2]) // 12
    checks = np.where((x + y) % 2, 204, 255)[..., None]
    alpha = rgba[..., 3:] / 255
    return (rgba[..., :3] * alpha + checks * (1 - alpha)).round().astype(np.uint8)


def side_by_side(*pictures: np.ndarray, height: int = 300) -> Image.Image:
    made = [Image.fromarray(p).convert("RGB") for p in pictures]
    made = [m.resize((round(m.width * height / m.height), height), Image.Resampling.LANCZOS) for m in made]
    out = Image.new("RGB", (sum(m.width for m in made) + 6 * (len(made) - 1), height), "white")
    at = 0
    for m in made:
        out.paste(m, (at, 0))
        at += m.width + 6
    return out
