"""PNG files out: Pillow, OpenCV and zlib read what was written; strips and cores do not show."""

from __future__ import annotations

import io
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from nuggy_nodes.pictures import encode, png_encode


def picture(*shape, dtype=np.uint8):
    """Flat, smooth and noisy parts."""
    rng = np.random.default_rng(7)
    values = np.indices(shape[:2]).sum(0).astype(dtype)
    values[: shape[0] // 3] = 0
    noisy = rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    out = np.broadcast_to(values[..., None], shape).copy() if len(shape) == 3 else values
    out[-(shape[0] // 3 or 1) :] = noisy[-(shape[0] // 3 or 1) :]
    return out


@pytest.mark.parametrize("shape", [(1, 1), (1, 9, 4), (9, 1, 3), (37, 23), (37, 23, 3), (37, 23, 4)], ids=str)
@pytest.mark.parametrize("strip", [1, 400, 1 << 21])
def test_pillow_and_opencv_read_the_very_pixels(monkeypatch, shape, strip):
    monkeypatch.setattr(png_encode, "STRIP", strip)
    pixels = picture(*shape)
    data = png_encode.encode(pixels)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    turned = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}.get(pixels.shape[2] if pixels.ndim == 3 else 1)
    assert np.array_equal(found if turned is None else cv2.cvtColor(found, turned), pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("smallest", [False, True])
def test_the_strips_are_one_zlib_stream(monkeypatch, dtype, smallest):
    monkeypatch.setattr(png_encode, "STRIP", 500)
    data = png_encode.encode(picture(41, 17, 4, dtype=dtype), smallest=smallest)
    body, at = b"", 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IDAT":
            body += data[at + 8 : at + 8 + length]
        at += 12 + length
    packed = zlib.decompressobj()
    rows = packed.decompress(body)  # raises where the checksum is wrong
    assert packed.eof and not packed.unused_data
    assert len(rows) == 41 * (1 + 17 * 4 * np.dtype(dtype).itemsize)


def test_the_number_of_cores_does_not_show(monkeypatch):
    monkeypatch.setattr(png_encode, "STRIP", 300)
    pixels, found = picture(50, 20, 4), set()
    for n in (1, 2, 7):
        monkeypatch.setattr(png_encode, "cores", lambda n=n: n)
        found.add(png_encode.encode(pixels))
    assert len(found) == 1


def test_checksums_of_parts_are_joined_as_zlib_sums_the_whole():
    rng = np.random.default_rng(3)
    for lengths in ((0, 5), (5, 0), (1, 1), (70000, 3), (123456, 654321)):
        a, b = (rng.integers(250, 256, n, np.uint8).tobytes() for n in lengths)
        assert png_encode.joined(zlib.adler32(a), zlib.adler32(b), len(b)) == zlib.adler32(a + b)


def test_a_cut_out_takes_hardly_more_bytes_than_by_pillow_s_search_for_repeats():
    """Flat but for an edge, as cut-outs are."""
    y, x = np.indices((300, 400))
    edge = np.clip(60 - np.hypot(y - 150, x - 200) * 0.5, 0, 1)
    pixels = np.dstack([(edge * 200).astype(np.uint8)] * 3 + [(edge * 255).astype(np.uint8)])
    theirs = io.BytesIO()
    Image.fromarray(pixels).save(theirs, "png", compress_level=3)
    assert len(encode(pixels, "png")) <= 1.15 * len(theirs.getvalue())
