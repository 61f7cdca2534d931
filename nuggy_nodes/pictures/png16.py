"""PNG with 16 bits a sample, read (W3C PNG, third edition, sections 7 to 9).

Pillow keeps 8 of the 16 bits, but its zip decoder undoes the filters of pixels of any size: asked once for the first
and once for the second byte of every sample, it gives all 16.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ..core.errors import ImageError
from . import exif
from .picture import Picture, upright
from .png import Chunks

# colour type: Pillow's mode and the raw modes that give the first and the second byte of every sample; for grey, with
# one raw mode, two 8-bit samples are as long as one of 16 bits
PASSES = {
    0: ("LA", ("LA",)),
    2: ("RGB", ("RGB;16B", "RGB;16L")),
    4: ("RGBA", ("RGBA",)),
    6: ("RGBA", ("RGBA;16B", "RGBA;16L")),
}


def decode(data: bytes, chunks: Chunks, path: Path) -> Picture:
    """The pixels of a PNG with 16 bits a sample, upright. Raises ImageError."""
    samples = _samples(b"".join(data[a:b] for n, a, b in chunks.bodies if n == b"IDAT"), chunks, path)
    colours = samples[..., :3] if chunks.colour & 2 else samples[..., :1]
    alpha = samples[..., -1] if chunks.colour & 4 else None
    key = chunks.first(data, b"tRNS")
    if alpha is None and key and len(key) == 2 * colours.shape[2]:
        clear = (colours == np.frombuffer(key, ">u2")).all(-1)
        alpha = np.where(clear, 0, 65535).astype(np.uint16)
    rgb = colours if chunks.colour & 2 else np.repeat(colours, 3, 2)
    block = chunks.first(data, b"eXIf")
    turn = exif.orientation(block)
    alpha = None if alpha is None else upright(alpha, turn)
    return Picture(upright(rgb, turn), alpha, exif=block and exif.upright(block))


def _samples(packed: bytes, chunks: Chunks, path: Path) -> np.ndarray:
    """[H,W,samples] uint16."""
    mode, passes = PASSES[chunks.colour]
    size, found = (chunks.width, chunks.height), []
    for raw in passes:
        try:
            image = Image.frombytes(mode, size, packed, "zip", raw, chunks.interlaced)
        except (ValueError, OSError, SystemError):
            raise ImageError(f"{path}: the file is damaged or incomplete") from None
        found.append(np.asarray(image))
        del image
    if len(found) == 1:
        return found[0].view(">u2").astype(np.uint16)
    high = found[0].astype(np.uint16)
    high <<= 8
    high |= found[1]
    return high
