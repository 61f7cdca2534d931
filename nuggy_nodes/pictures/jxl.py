"""JPEG XL: the size that a file announces (ISO/IEC 18181-1, size header; 18181-2, boxes), and pixels by imagecodecs."""

from __future__ import annotations

import struct
from types import ModuleType

import numpy as np

from ..core.errors import ImageError

RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}  # width to height
BITS = (9, 13, 18, 30)
CODESTREAM = b"\xff\x0a"


def size(data: bytes) -> tuple[int, int]:
    """Width and height as the header tells. Raises ImageError where it tells none."""
    found = _codestream(data)
    if len(found) < 12:
        raise ImageError("the file is damaged or incomplete")
    bits, at = int.from_bytes(found[2:12], "little"), 0

    def take(count: int) -> int:
        nonlocal at
        value = bits >> at & ((1 << count) - 1)
        at += count
        return value

    small = take(1)

    def side() -> int:
        return 8 * (take(5) + 1) if small else take(BITS[take(2)]) + 1

    height = side()
    ratio = take(3)
    if not ratio:
        return side(), height
    across, down = RATIOS[ratio]
    return height * across // down, height


def decode(data: bytes, codecs: ModuleType) -> np.ndarray:
    """[H,W] or [H,W,C], upright. Raises what imagecodecs raises."""
    return np.asarray(codecs.jpegxl_decode(data))


def _codestream(data: bytes) -> bytes:
    """The beginning of the codestream, out of its box where it is in one."""
    if data[:2] == CODESTREAM:
        return data[:32]
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if length == 1 and at + 16 <= len(data):
            (length,) = struct.unpack_from(">Q", data, start)
            start += 8
        start += 4 if kind == b"jxlp" else 0
        if kind in (b"jxlc", b"jxlp") and data[start : start + 2] == CODESTREAM:
            return data[start : start + 32]
        if length < 8:
            break
        at += length
    return b""
