"""A contact sheet of training scenes: picture, alpha, trust, a name beside each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image, ImageDraw

from .draw import Draws
from .scene import render


def contact_sheet(
    draws: Draws,
    first: int,
    count: int,
    device: torch.device | str = "cpu",
    progress: Callable[[int, int], None] | None = None,
    columns: int = 3,
    cell: int = 320,
) -> Image.Image:
    """Draws first..first+count-1. A cell is the picture and, on its right, alpha; red where it is not believed."""
    columns = min(columns, count)
    rows = -(-count // columns)
    out = Image.new("RGB", (columns * 2 * cell, rows * cell))
    for i in range(count):
        if progress:
            progress(i, count)
        batch = render([draws[first + i]], device)
        picture, alpha, trust = (x[0].cpu() for x in (batch.image, batch.alpha[0], batch.trust[0]))
        shown = torch.stack((alpha * trust + (1 - trust) * (0.4 + 0.6 * alpha), alpha * trust, alpha * trust), -1)
        for part, pixels in enumerate((picture.permute(1, 2, 0), shown)):
            tile = Image.fromarray((pixels.numpy() * 255).round().astype(np.uint8)).resize(
                (cell, cell), Image.Resampling.BOX
            )
            if not part:
                name = f"{first + i} {batch.kinds[0]}"
                ImageDraw.Draw(tile).text((5, 4), name, fill="white", stroke_width=2, stroke_fill="black")
            out.paste(tile, ((i % columns * 2 + part) * cell, i // columns * cell))
    return out
