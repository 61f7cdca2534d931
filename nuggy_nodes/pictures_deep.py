"""16-bit PNG and TIFF with alpha, colour profile and resolution, which Pillow cannot write."""

from __future__ import annotations

import struct
import zlib

import numpy as np


def encode_png16(pixels: np.ndarray, icc: bytes | None, dpi: tuple[float, float] | None) -> bytes:
    """[H,W], [H,W,3] or [H,W,4] uint16 to PNG bytes (W3C PNG, third edition: iCCP and pHYs stand before IDAT)."""
    import cv2

    order = pixels if pixels.ndim == 2 else pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    ok, encoded = cv2.imencode(".png", np.ascontiguousarray(order), [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not ok:
        raise ValueError("the PNG encoder failed")
    data = encoded.tobytes()
    extra = b""
    if icc:
        extra += _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc))
    if dpi:
        extra += _chunk(b"pHYs", struct.pack(">IIB", *(round(d / 0.0254) for d in dpi), 1))
    header = 8 + 25  # the signature and IHDR
    return data[:header] + extra + data[header:]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def encode_tiff16(pixels: np.ndarray, icc: bytes | None, dpi: tuple[float, float] | None) -> bytes:
    """[H,W], [H,W,3] or [H,W,4] uint16 to TIFF bytes: one little-endian page, deflate, straight alpha (TIFF 6.0)."""
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    rows = pixels.reshape(height, width, channels).astype("<u2")
    differences = rows.copy()
    differences[:, 1:] -= rows[:, :-1]  # predictor 2: horizontal differences, modulo 2^16
    strip = zlib.compress(differences.tobytes(), 4)
    x, y = dpi or (72.0, 72.0)
    short, long, rational, undefined = "H", "I", "II", "B"
    tags: list[tuple[int, int, str, list[int]]] = [  # tag, TIFF type, struct code, values; ascending
        (256, 4, long, [width]),
        (257, 4, long, [height]),
        (258, 3, short, [16] * channels),
        (259, 3, short, [8]),  # compression: deflate
        (262, 3, short, [1 if channels == 1 else 2]),  # photometric: grey or RGB
        (273, 4, long, [0]),  # strip offset, below
        (277, 3, short, [channels]),
        (278, 4, long, [height]),
        (279, 4, long, [len(strip)]),
        (282, 5, rational, [round(x * 1000), 1000]),
        (283, 5, rational, [round(y * 1000), 1000]),
        (296, 3, short, [2 if dpi else 1]),  # inch, or none
        (317, 3, short, [2]),  # predictor
    ]
    if channels == 4:
        tags.append((338, 3, short, [2]))  # extra sample: straight alpha
    if icc:
        tags.append((34675, 7, undefined, list(icc)))
    after = 8 + 2 + 12 * len(tags) + 4
    bodies = [struct.pack("<" + (code[0] * len(values)), *values) for _, _, code, values in tags]
    outside = [b for b in bodies if len(b) > 4]
    start = after + sum(len(b) + len(b) % 2 for b in outside)
    directory, tail = b"", b""
    for (tag, kind, code, values), body in zip(tags, bodies):
        count = len(values) // len(code)
        if tag == 273:
            body = struct.pack("<I", start)
        if len(body) > 4:
            place = struct.pack("<I", after + len(tail))
            tail += body + b"\0" * (len(body) % 2)
        else:
            place = body.ljust(4, b"\0")
        directory += struct.pack("<HHI", tag, kind, count) + place
    head = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", len(tags))
    return head + directory + struct.pack("<I", 0) + tail + strip
