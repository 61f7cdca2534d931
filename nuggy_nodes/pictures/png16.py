"""PNG with 16 bits a sample, both ways (W3C PNG, third edition, sections 7 to 9).

Pillow keeps 8 of the 16 bits, but its zip decoder undoes the filters of pixels of any size: asked once for the first
and once for the second byte of every sample, it gives all 16. Writing needs no decoder: a filter is a difference.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from ..core.errors import ImageError
from . import exif
from .picture import Picture, upright
from .png import SIGNATURE, Chunks

STRIP = 1 << 22  # bytes that are filtered and packed at a time
COLOURS = {1: 0, 3: 2, 4: 6}  # channels: PNG's colour type
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


def encode(pixels: np.ndarray, before: bytes = b"", smallest: bool = False) -> bytes:
    """A PNG of [H,W], [H,W,3] or [H,W,4] uint16.

    Args:
        pixels: straight alpha.
        before: whole chunks that stand before the pixels.
        smallest: try every filter and pack as small as zlib can.

    Returns:
        The file's bytes.
    """
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    head = struct.pack(">IIBBBBB", width, height, 16, COLOURS[channels], 0, 0, 0)
    out = [SIGNATURE, chunk(b"IHDR", head), before]
    packer = zlib.compressobj(9 if smallest else 3)
    rows = max(STRIP // (width * channels * 2), 1)
    above = np.zeros(width * channels * 2, np.uint8)
    for top in range(0, height, rows):
        part = np.ascontiguousarray(pixels[top : top + rows], ">u2").view(np.uint8).reshape(-1, above.size)
        body = packer.compress(_filtered(part, above, 2 * channels, smallest).tobytes())
        if body:
            out.append(chunk(b"IDAT", body))
        above = part[-1]
    return b"".join([*out, chunk(b"IDAT", packer.flush()), chunk(b"IEND", b"")])


def _filtered(rows: np.ndarray, above: np.ndarray, step: int, every: bool) -> np.ndarray:
    """Rows [n, bytes] by the filter that leaves the smallest differences, its number first (PNG, section 12.7)."""
    up = np.vstack((above[None], rows[:-1]))
    left = np.zeros_like(rows)
    left[:, step:] = rows[:, :-step]
    tried = {1: rows - left, 2: rows - up}
    if every:
        corner = np.zeros_like(rows)
        corner[:, step:] = up[:, :-step]
        mean = ((left.astype(np.uint16) + up) >> 1).astype(np.uint8)
        tried |= {0: rows, 3: rows - mean, 4: rows - _paeth(left, up, corner)}
    cost = [np.abs(d.view(np.int8).astype(np.int16)).sum(1, dtype=np.int64) for d in tried.values()]
    best, numbers = np.argmin(cost, 0), np.array(list(tried), np.uint8)
    out = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
    out[:, 0] = numbers[best]
    for i, differences in enumerate(tried.values()):
        out[best == i, 1:] = differences[best == i]
    return out


def _paeth(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Of left, above and the corner the one that is nearest to left + above - corner (PNG, section 9.4)."""
    x, y, z = (v.astype(np.int16) for v in (a, b, c))
    by_left, by_above, by_corner = np.abs(y - z), np.abs(x - z), np.abs(x + y - 2 * z)
    nearest = np.where(by_above <= by_corner, b, c)
    return np.where((by_left <= by_above) & (by_left <= by_corner), a, nearest)


def chunk(kind: bytes, body: bytes) -> bytes:
    """A whole chunk: length, name, body, checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
