"""PGM, PPM and PFM: binary files with up to 16 bits, or float (the netpbm manual's pgm(5), ppm(5) and pfm(5))."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ..core.errors import ImageError
from .limits import MOST_MEGAPIXELS, check_size
from .picture import Picture, whole

SPACE = rb"(?:\s|#[^\n]*\n)+"
HEADER = re.compile(rb"(P[56fF])" + SPACE + rb"(-?\d+)" + SPACE + rb"(-?\d+)" + SPACE + rb"(-?[\d.eE+-]+)\s")


def decode(data: bytes, path: Path, megapixels: float = MOST_MEGAPIXELS) -> Picture | None:
    """A binary picture; None for text and bits, which Pillow reads. Raises ImageError."""
    if data[:2] not in (b"P5", b"P6", b"Pf", b"PF"):
        return None
    found = HEADER.match(data[:4096])
    if not found:
        raise ImageError(f"{path}: the file is damaged: its header cannot be read")
    kind, width, height = found[1], int(found[2][:12]), int(found[3][:12])
    channels = 3 if kind in (b"P6", b"PF") else 1
    check_size(width, height, path, "NETPBM", len(data), channels, megapixels)
    if kind in (b"Pf", b"PF"):
        big, top, size = float(found[4]) > 0, 1.0, 4
        samples: np.dtype = np.dtype(">f4" if big else "<f4")
    else:
        top = float(int(found[4]))
        if not 1 <= top <= 65535:
            raise ImageError(f"{path}: the file is damaged: its largest value is {found[4].decode()}")
        size = 1 if top < 256 else 2
        samples = np.dtype(">u1" if size == 1 else ">u2")
    count = width * height * channels
    if len(data) - found.end() < count * size:
        raise ImageError(f"{path}: the file is damaged or incomplete")
    pixels = np.frombuffer(data, samples, count, found.end()).reshape(height, width, channels)
    if kind in (b"Pf", b"PF"):
        pixels = pixels[::-1]  # from the bottom row up
    made = whole(pixels, top, deep=size > 1)
    return Picture(np.repeat(made, 3, 2) if channels == 1 else np.ascontiguousarray(made))
