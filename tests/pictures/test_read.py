"""The right pixels, or one clear line: files made by other libraries, against the numbers that went into them."""

from __future__ import annotations

import io
import os
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from nuggy_nodes import pictures
from nuggy_nodes.core import ImageError
from nuggy_nodes.pictures import limits


@pytest.fixture(scope="module")
def deep() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 65536, (13, 17, 3), np.uint16)


def read(tmp_path, data: bytes, name: str = "p.tif") -> pictures.Picture:
    (tmp_path / name).write_bytes(data)
    return pictures.read(tmp_path / name)


def tiff(pixels: np.ndarray, **more) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, pixels, **({"photometric": "rgb"} | more))
    return out.getvalue()


def as_kind(deep: np.ndarray, kind: type) -> np.ndarray:
    """The same picture in samples of another kind."""
    return (deep / 65535).astype(kind) if kind == np.float32 else (deep >> (8 if kind == np.uint8 else 0)).astype(kind)


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """As stored with an orientation, so that upright gives `pixels` (TIFF 6.0, tag 274), written out by hand."""
    return {
        1: lambda x: x, 2: lambda x: x[:, ::-1], 3: lambda x: x[::-1, ::-1], 4: lambda x: x[::-1],
        5: lambda x: x.swapaxes(0, 1), 6: lambda x: np.rot90(x, 1), 7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
        8: lambda x: np.rot90(x, -1),
    }[orientation](pixels)  # fmt: skip


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_a_tiff_is_turned_once(tmp_path, deep, kind, orientation):
    pixels = (
        (deep / 65535).astype(kind) if kind == np.float32 else (deep >> (8 if kind == np.uint8 else 0)).astype(kind)
    )
    stored = np.ascontiguousarray(turned(pixels, orientation))
    got = read(tmp_path, tiff(stored, extratags=[(274, "H", 1, orientation, True)])).rgb
    assert np.array_equal(got, deep if kind == np.float32 else pixels)


@pytest.mark.parametrize("more", [
    {"planarconfig": "separate"}, {"tile": (16, 16)}, {"rowsperstrip": 5}, {"compression": "zlib", "predictor": True},
    {"byteorder": ">"}, {"bigtiff": True}], ids=str)  # fmt: skip
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_ways_of_storing_a_tiff(tmp_path, deep, more, kind):
    if kind == np.float32 and more.get("predictor"):
        more = {**more, "predictor": 3} if _has("imagecodecs") else {"compression": "zlib"}
    pixels = (
        (deep / 65535).astype(kind) if kind == np.float32 else (deep >> (8 if kind == np.uint8 else 0)).astype(kind)
    )
    stored = np.moveaxis(pixels, -1, 0).copy() if more.get("planarconfig") else pixels
    if more.get("byteorder") == ">":
        stored = stored.astype(stored.dtype.newbyteorder(">"))
    assert np.array_equal(read(tmp_path, tiff(stored, **more)).rgb, deep if kind == np.float32 else pixels)


def _has(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None


def test_lzw_by_pillow(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 4, (60, 50, 3), np.uint8) * 60
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "TIFF", compression="tiff_lzw")
    assert np.array_equal(read(tmp_path, out.getvalue()).rgb, pixels)


def test_ranges_and_meanings(tmp_path, deep):
    grey, alpha = deep[..., 0], np.tile(np.linspace(0, 65535, 17).round().astype(np.uint16), (13, 1))
    assert np.array_equal(read(tmp_path, tiff(65535 - grey, photometric="miniswhite")).rgb[..., 1], grey)
    signed = (grey >> 1).astype(np.int16)
    got = read(tmp_path, tiff(signed, photometric="minisblack")).rgb[..., 0]
    assert np.abs(got / 65535 - signed / 32767).max() < 1e-4
    wide = (grey.astype(np.uint32) << 16) | 0xFFFF
    assert np.abs(read(tmp_path, tiff(wide, photometric="minisblack")).rgb[..., 2].astype(int) - grey).max() <= 1
    bright = read(tmp_path, tiff((deep / 257).astype(np.float32)))  # 0..255
    assert np.abs(bright.rgb.astype(int) - deep).max() <= 1 and "255 is taken for white" in bright.note
    both = np.dstack((deep, alpha))
    straight = read(tmp_path, tiff(both, extrasamples=["unassalpha"]))
    assert np.array_equal(straight.rgb, deep) and np.array_equal(straight.alpha, alpha)
    nothing = read(tmp_path, tiff(both, extrasamples=["unspecified"]))
    assert np.array_equal(nothing.rgb, deep) and nothing.alpha is None
    multiplied = np.dstack(((deep * (alpha[..., None] / 65535)).round().astype(np.uint16), alpha))
    divided = read(tmp_path, tiff(multiplied, extrasamples=["assocalpha"]))
    seen = alpha > 6000
    assert np.abs(divided.rgb[seen].astype(int) - deep[seen]).max() < 12


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(pixels: np.ndarray, colour: int, extra: bytes = b"") -> bytes:
    height, width = pixels.shape[:2]
    depth = 8 * pixels.dtype.itemsize
    rows = b"".join(b"\0" + row.astype(f">u{depth // 8}").tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


def test_sixteen_bit_png_with_a_clear_colour(tmp_path, deep):
    grey = deep[..., 0]
    got = read(tmp_path, png(grey, 0, chunk(b"tRNS", struct.pack(">H", grey[4, 5]))), "g.png")
    assert np.array_equal(got.rgb[..., 0], grey) and np.array_equal(got.alpha == 0, grey == grey[4, 5])
    key = chunk(b"tRNS", struct.pack(">HHH", *map(int, deep[4, 5])))
    assert np.array_equal(read(tmp_path, png(deep, 2, key), "c.png").alpha == 0, (deep == deep[4, 5]).all(-1))


@pytest.mark.parametrize("header,kind", [(b"P5 17 13 65535\n", ">u2"), (b"P5\n# a note\n17 13\n1023\n", ">u2"),
                                         (b"Pf 17 13 -1.0\n", "<f4")])  # fmt: skip
def test_deep_netpbm(tmp_path, deep, header, kind):
    top = 1023 if b"1023" in header else 65535
    grey = (deep[..., 0].astype(np.uint32) * top // 65535).astype(np.uint16)
    body = (deep[..., 0] / 65535).astype(np.float32)[::-1] if kind == "<f4" else grey
    got = read(tmp_path, header + body.astype(kind).tobytes(), "p.pgm").rgb[..., 0]
    assert np.abs(got.astype(int) - (deep[..., 0] if kind == "<f4" else grey.astype(int) * 65535 / top)).max() <= 1


def test_nothing_starts_a_program_and_no_list_is_left(tmp_path):
    for data in (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", b"<svg/>", b"%PDF-1.7\n"):
        with pytest.raises(ImageError, match="is no JPEG picture"):
            read(tmp_path, data, "photo.jpg")


def test_lies_cost_nothing(tmp_path):
    head = struct.pack(">IIBBBBB", 12000, 12000, 16, 2, 0, 0, 0)
    lie = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    with pytest.raises(ImageError, match="are not stored in"):
        read(tmp_path, lie, "lie.png")
    long = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 2**31 - 1) + b"IHDR" + b"\0" * 52
    with pytest.raises(ImageError, match="damaged"):
        read(tmp_path, long, "long.png")
    with pytest.raises(ImageError, match="over the limit of 0.0001 megapixels"):
        (tmp_path / "m.png").write_bytes(png(np.zeros((20, 20, 3), np.uint8), 2))
        pictures.read(tmp_path / "m.png", megapixels=1e-4)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes of this kind here")
def test_only_regular_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    with open(tmp_path / "sparse.jpg", "wb") as f:
        f.truncate(2_000_000_000)
    for name in ("pipe.jpg", "zero.jpg", "loop.jpg", "sparse.jpg"):
        with pytest.raises(ImageError, match=name):
            pictures.read(tmp_path / name)


def test_extras_that_are_missing_are_named(tmp_path, monkeypatch):
    import builtins

    real = builtins.__import__

    def without(name, *args, **more):
        if name in ("pillow_heif", "rawpy", "imagecodecs"):
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    for name, data, extra in (("a.heic", heic, "heif"), ("a.nef", tiff(np.zeros((4, 4, 3), np.uint8)), "raw"),
                              ("a.jxl", b"\xff\x0a\0\0", "codecs")):  # fmt: skip
        with pytest.raises(ImageError, match=rf"pip install 'nuggy-nodes\[{extra}\]'"):
            read(tmp_path, data, name)


def test_left_over_parts_are_cleared(tmp_path):
    dead, alive = tmp_path / ".nuggy-999999999-ab.part", tmp_path / f".nuggy-{os.getpid()}-ab.part"
    dead.write_bytes(b"x")
    alive.write_bytes(b"x")
    pictures.clear_parts(tmp_path)
    assert not dead.exists() and alive.exists()


def test_free_memory_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "free_memory", lambda: 1 << 20)
    monkeypatch.setattr(limits, "SMALL", 100)
    with pytest.raises(ImageError, match="needs more memory"):
        noise = np.random.default_rng(0).integers(0, 256, (500, 500, 3), np.uint8)
        read(tmp_path, png(noise, 2), "n.png")
