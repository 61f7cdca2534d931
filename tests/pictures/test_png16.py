"""16-bit PNG both ways, against OpenCV and against rows filtered by hand."""

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from nuggy_nodes import pictures
from nuggy_nodes.core import ImageError
from nuggy_nodes.pictures.png_encode import SIGNATURE, chunk, encode

KINDS = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}


def made(channels: int, smooth: bool) -> np.ndarray:
    rng = np.random.default_rng(channels)
    x = rng.integers(0, 65536, (23, 31, channels), np.uint16)
    return np.cumsum(x // 700, 1).astype(np.uint16) if smooth else x


def read(data: bytes) -> np.ndarray:
    picture = pictures.read(Path("p.png"), data=data)
    return picture.rgb if picture.alpha is None else np.dstack((picture.rgb, picture.alpha))


@pytest.mark.parametrize("smallest", [False, True])
@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("channels", KINDS)
def test_written_as_opencv_reads_it(channels, smooth, smallest):
    pixels = made(channels, smooth)
    data = encode(pixels[..., 0] if channels == 1 else pixels, smallest=smallest)
    got = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(got.reshape(23, 31, -1)[..., KINDS[channels]], pixels)
    assert np.array_equal(read(data), np.repeat(pixels, 3, 2) if channels == 1 else pixels)


@pytest.mark.parametrize("channels", KINDS)
def test_read_as_opencv_wrote_it(channels):
    pixels = made(channels, True)
    _, data = cv2.imencode(".png", pixels[..., KINDS[channels]])
    assert np.array_equal(read(data.tobytes()), np.repeat(pixels, 3, 2) if channels == 1 else pixels)


def filtered(pixels: np.ndarray) -> bytes:
    """Rows by filters 0 to 4 in turn, byte by byte as PNG's section 9.2 has it."""
    rows = pixels.astype(">u2").view(np.uint8).reshape(len(pixels), -1).astype(int)
    step, out = 2 * pixels.shape[2], bytearray()
    for y, row in enumerate(rows):
        kind = y % 5
        out.append(kind)
        for i, value in enumerate(row):
            a = row[i - step] if i >= step else 0
            b = rows[y - 1][i] if y else 0
            c = rows[y - 1][i - step] if y and i >= step else 0
            p = a + b - c
            nearest = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            out.append((value - (0, a, b, (a + b) // 2, nearest)[kind]) % 256)
    return bytes(out)


def wrapped(pixels: np.ndarray, colour: int, rows: bytes, interlaced: int = 0) -> bytes:
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 16, colour, 0, 0, interlaced)
    body = (
        chunk(b"IHDR", head),
        chunk(b"IDAT", zlib.compress(rows)),
        chunk(b"IEND", b""),
    )
    return SIGNATURE + b"".join(body)


@pytest.mark.parametrize("colour,channels", [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_every_filter_and_kind(colour, channels):
    pixels = made(channels, False)
    expected = np.dstack([pixels[..., [0]]] * 3 + [pixels[..., 1:]]) if channels < 3 else pixels
    assert np.array_equal(read(wrapped(pixels, colour, filtered(pixels))), expected)


@pytest.mark.parametrize("colour,channels", [(0, 1), (2, 3), (6, 4)])
def test_interlaced(colour, channels):
    pixels = made(channels, False)
    passes = ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1))
    parts = [filtered(pixels[y::dy, x::dx]) for y, dy, x, dx in passes]
    expected = np.repeat(pixels, 3, 2) if channels == 1 else pixels
    assert np.array_equal(read(wrapped(pixels, colour, b"".join(parts), 1)), expected)


def test_too_few_rows_are_no_picture():
    pixels = made(3, False)
    with pytest.raises(ImageError, match="damaged"):
        read(wrapped(pixels, 2, filtered(pixels)[:-700]))


def test_exif_turns_it_and_says_so_no_more():
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    pixels = made(3, True)
    picture = pictures.read(Path("p.png"), data=encode(pixels, chunk(b"eXIf", exif.tobytes()[6:])))
    assert np.array_equal(picture.rgb, np.rot90(pixels, -1))
    kept = Image.open(io.BytesIO(pictures.encode(picture.rgb, "png", exif=picture.exif))).getexif()
    assert (kept[0x0112], kept[0x010F]) == (1, "a camera")
