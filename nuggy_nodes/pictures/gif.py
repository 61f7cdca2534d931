"""GIF written: 255 colours a frame and one that is clear. A pixel is there or it is not: from half on it is."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

CLEAR = 255  # the palette's entry
HALF = 128


def encode(frames: Sequence[np.ndarray], durations: Sequence[int], plays: int) -> bytes:
    """frames: [H,W], [H,W,3] or [H,W,4] uint8; durations: milliseconds, told in hundredths; plays: 0 for ever."""
    images = [_page(f) for f in frames]
    options: dict[str, Any] = {"disposal": 2, "optimize": False}
    if any("transparency" in i.info for i in images):
        options["transparency"] = CLEAR
    if len(images) > 1:
        options |= {"save_all": True, "append_images": images[1:], "duration": list(durations)}
        if plays != 1:  # without the extension it is played once
            options["loop"] = max(plays - 1, 0)
    out = io.BytesIO()
    images[0].save(out, "GIF", **options)
    return out.getvalue()


def _page(pixels: np.ndarray) -> Image.Image:
    """A frame of a palette of its own, the clear entry last."""
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, 2)
    page = Image.fromarray(np.ascontiguousarray(pixels[..., :3])).quantize(CLEAR, dither=Image.Dither.NONE)
    if pixels.shape[2] == 3:
        return page
    numbers = np.where(pixels[..., 3] >= HALF, np.asarray(page), CLEAR).astype(np.uint8)
    made = Image.fromarray(numbers, "P")
    palette = (page.getpalette() or [])[: 3 * CLEAR]
    made.putpalette([*palette, *[0] * (3 * 256 - len(palette))])
    made.info["transparency"] = CLEAR
    return made
