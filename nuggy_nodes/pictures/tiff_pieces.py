"""A TIFF's strips and tiles: compression and differences undone, in no more memory than the header announces."""

from __future__ import annotations

import io
import lzma
import struct
import zlib
from pathlib import Path

import numpy as np

from ..core.errors import ImageError

OURS = {1: "none", 5: "LZW", 8: "deflate", 32946: "deflate", 32773: "PackBits", 34925: "LZMA", 50000: "Zstandard"}


def unpacked(packed: bytes, packing: int, shape: tuple[int, int], path: Path) -> bytes:
    """A piece's bytes: so many rows of so many."""
    size = shape[0] * shape[1]
    way = OURS[packing]
    if way == "deflate":
        raw = zlib.decompressobj().decompress(packed, size)
    elif way == "LZW":
        raw = _lzw(packed, shape)
    elif way == "PackBits":
        raw = _packbits(packed, size)
    elif way == "LZMA":
        raw = lzma.LZMADecompressor(memlimit=256 << 20).decompress(packed, size)
    elif way == "Zstandard":
        try:
            from imagecodecs import zstd_decode
        except ImportError:
            raise ImageError(f"{path}: is packed by Zstandard; pip install 'nuggy-nodes[codecs]'") from None
        raw = bytes(zstd_decode(packed, out=size))
    else:
        raw = packed[:size]
    if len(raw) < size:
        raise ImageError(f"{path}: the file is damaged or incomplete")
    return raw


def packed_bits(raw: bytes, bits: int, rows: int, samples: int) -> np.ndarray:
    """[rows, samples] uint16 of samples of 9 to 15 bits that follow each other, the rows filled up to whole bytes."""
    every = np.unpackbits(np.frombuffer(raw, np.uint8).reshape(rows, -1), axis=1)[:, : samples * bits]
    weights = (1 << np.arange(bits - 1, -1, -1)).astype(np.uint16)
    return (every.reshape(rows, samples, bits) * weights).sum(2, dtype=np.uint16)


def _lzw(packed: bytes, shape: tuple[int, int]) -> bytes:
    """TIFF's LZW by Pillow's libtiff: the piece as a grey 8-bit TIFF of its own, whatever its samples are."""
    from PIL import Image

    high, wide = shape
    tags = [(256, 4, wide), (257, 4, high), (258, 3, 8), (259, 3, 5), (262, 3, 1), (273, 4, 0), (277, 3, 1),
            (278, 4, high), (279, 4, len(packed))]  # fmt: skip
    start = 8 + 2 + 12 * len(tags) + 4
    body = b"".join(struct.pack("<HHII", t, k, 1, start if t == 273 else v) for t, k, v in tags)
    file = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", len(tags)) + body + struct.pack("<I", 0) + packed
    with Image.open(io.BytesIO(file), formats=("TIFF",)) as image:
        return image.tobytes()


def _packbits(packed: bytes, size: int) -> bytes:
    """PackBits (TIFF 6.0, section 9)."""
    out, at = bytearray(), 0
    while at < len(packed) and len(out) < size:
        n = packed[at]
        if n < 128:
            out += packed[at + 1 : at + 2 + n]
            at += n + 2
        else:
            if n > 128:
                out += packed[at + 1 : at + 2] * (257 - n)
            at += 2 if n > 128 else 1
    return bytes(out[:size])


def unpredicted(raw: bytes, predictor: int, shape: tuple[int, int, int], kind: np.dtype, order: str) -> np.ndarray:
    """[rows, columns, samples], differences along rows added up (TIFF 6.0, section 14; Adobe's technical note 3)."""
    if predictor == 3:  # float: the rows' bytes by significance, differences of bytes
        high, columns, each = shape
        rows = np.frombuffer(raw, np.uint8).reshape(high, kind.itemsize * columns, each)
        summed = np.cumsum(rows, 1, np.uint8).reshape(high, kind.itemsize, columns * each)
        joined = np.ascontiguousarray(summed.transpose(0, 2, 1))  # most significant byte first
        return joined.view(kind.newbyteorder(">"))[..., 0].reshape(shape).astype(kind.newbyteorder("="))
    pixels = np.frombuffer(raw, kind).reshape(shape).astype(kind.newbyteorder("="), copy=False)
    if predictor == 2 and kind.kind in "ui":
        return np.cumsum(pixels, 1, pixels.dtype)
    return pixels
