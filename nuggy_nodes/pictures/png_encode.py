"""PNG files out, with 8 and 16 bits a sample (W3C PNG, third edition, sections 7 to 10): strips packed on all cores.

A filter looks one row up and no farther, and runs of equal bytes (zlib's Z_RLE) need no memory of what came before, so
strips of rows are filtered and packed each by itself: deflate blocks that end on a whole byte, one after the other in
one zlib stream, whose checksum is put together from theirs.
"""

from __future__ import annotations

import os
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from .png import SIGNATURE

STRIP = 1 << 21  # bytes that are filtered and packed at a time
COLOURS = {1: 0, 3: 2, 4: 6}  # channels: PNG's colour type
HEAD = b"\x78\x01"  # zlib: deflate, a window of 32 KiB (RFC 1950)
BASE = 65521  # of its checksum


@dataclass(frozen=True)
class Way:
    """How rows are packed. level, strategy: zlib's. filters: those of which each row takes the best, by number."""

    level: int
    strategy: int
    filters: tuple[int, ...]


# Cut-outs and masks are mostly flat or smooth: runs say nearly all there is to say, in half the time of a search for
# repeats and in as few bytes. A photograph to its borders has neither, and 16 bits have noise in the lower one.
RUNS, PHOTOGRAPH = Way(1, zlib.Z_RLE, (2,)), Way(3, zlib.Z_DEFAULT_STRATEGY, (2,))
DEEP, SMALLEST = Way(3, zlib.Z_DEFAULT_STRATEGY, (1, 2)), Way(9, zlib.Z_DEFAULT_STRATEGY, (0, 1, 2, 3, 4))


def encode(pixels: np.ndarray, before: bytes = b"", smallest: bool = False) -> bytes:
    """A PNG of [H,W], [H,W,3] or [H,W,4], uint8 or uint16.

    Args:
        pixels: straight alpha.
        before: whole chunks that stand before the pixels.
        smallest: try every filter and pack as small as zlib can.

    Returns:
        The file's bytes, the same whatever the number of cores.
    """
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    size = pixels.dtype.itemsize
    way = SMALLEST if smallest else DEEP if size == 2 else PHOTOGRAPH if channels == 3 else RUNS
    rows = max(STRIP // (width * channels * size), 1)

    def pack(top: int) -> tuple[bytes, int, int]:
        bottom = min(top + rows, height)
        filtered = _filtered(pixels, top, bottom, channels * size, way.filters).data
        packer = zlib.compressobj(way.level, zlib.DEFLATED, -zlib.MAX_WBITS, 9, way.strategy)
        body = packer.compress(filtered) + packer.flush(zlib.Z_FINISH if bottom == height else zlib.Z_FULL_FLUSH)
        return chunk(b"IDAT", body if top else HEAD + body), zlib.adler32(filtered), filtered.nbytes

    head = struct.pack(">IIBBBBB", width, height, 8 * size, COLOURS[channels], 0, 0, 0)
    out, sum_ = [SIGNATURE, chunk(b"IHDR", head), before], 1
    with ThreadPoolExecutor(cores(), "nuggy-png") as pool:
        for part, own, length in pool.map(pack, range(0, height, rows)):
            out.append(part)
            sum_ = joined(sum_, own, length)
    return b"".join([*out, chunk(b"IDAT", struct.pack(">I", sum_)), chunk(b"IEND", b"")])


def cores() -> int:
    """Cores that this process may use, as far as the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def joined(first: int, second: int, length: int) -> int:
    """The Adler-32 of two texts in a row, of theirs (RFC 1950, section 8.2: a sum of bytes and a sum of those sums).

    Args:
        first, second: their checksums.
        length: of the second, in bytes.

    Returns:
        The checksum.
    """
    a, b = first & 0xFFFF, first >> 16
    c, d = second & 0xFFFF, second >> 16
    return (b + d + length * (a - 1)) % BASE << 16 | (a + c - 1) % BASE


def _filtered(pixels: np.ndarray, top: int, bottom: int, step: int, filters: tuple[int, ...]) -> np.ndarray:
    """Rows [bottom - top, 1 + bytes], each with the number of its filter first (PNG, section 9)."""
    kind = ">u2" if pixels.dtype.itemsize == 2 else np.uint8
    wanted = (
        np.ascontiguousarray(pixels[max(top - 1, 0) : bottom], kind).view(np.uint8).reshape(-1, step * pixels.shape[1])
    )
    rows = wanted[bool(top) :]
    up = wanted[:-1] if top else np.concatenate((np.zeros_like(rows[:1]), rows[:-1]))
    out = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
    if filters == (2,):
        out[:, 0] = 2
        np.subtract(rows, up, out=out[:, 1:])
        return out
    tried = {n: _differences(rows, up, step, n) for n in filters}
    # the filter that leaves the smallest differences (PNG, section 12.7)
    cost = [np.abs(d.view(np.int8).astype(np.int16)).sum(1, dtype=np.int64) for d in tried.values()]
    best, numbers = np.argmin(cost, 0), np.array(list(tried), np.uint8)
    out[:, 0] = numbers[best]
    for i, differences in enumerate(tried.values()):
        out[best == i, 1:] = differences[best == i]
    return out


def _differences(rows: np.ndarray, up: np.ndarray, step: int, number: int) -> np.ndarray:
    if number == 0:
        return rows
    if number == 2:
        return rows - up
    left = np.zeros_like(rows)
    left[:, step:] = rows[:, :-step]
    if number == 1:
        return rows - left
    if number == 3:
        return rows - ((left.astype(np.uint16) + up) >> 1).astype(np.uint8)
    corner = np.zeros_like(rows)
    corner[:, step:] = up[:, :-step]
    return rows - _paeth(left, up, corner)


def _paeth(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Of left, above and the corner the one that is nearest to left + above - corner (PNG, section 9.4)."""
    x, y, z = (v.astype(np.int16) for v in (a, b, c))
    by_left, by_above, by_corner = np.abs(y - z), np.abs(x - z), np.abs(x + y - 2 * z)
    nearest = np.where(by_above <= by_corner, b, c)
    return np.where((by_left <= by_above) & (by_left <= by_corner), a, nearest)


def chunk(kind: bytes, body: bytes) -> bytes:
    """A whole chunk: length, name, body, checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
