"""Picture files: what goes in comes out, judged by Pillow, tifffile and OpenCV."""

import errno
import io
import os
import struct
import sys

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from nuggy_nodes import pictures
from nuggy_nodes.core import ImageError
from nuggy_nodes.pictures.picture import upright

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture
def rgb(rng):
    return rng.integers(0, 256, (21, 34, 3), np.uint8)


def test_plain_files_with_profile_and_resolution(tmp_path, rgb):
    for name, options in (("a.png", {}), ("a.tif", {}), ("a.webp", {"lossless": True}), ("a.bmp", {})):
        kept = {} if name.endswith("bmp") else {"icc_profile": SRGB}
        Image.fromarray(rgb).save(tmp_path / name, **kept, **options)
        picture = pictures.read(tmp_path / name)
        assert np.array_equal(picture.rgb, rgb) and picture.alpha is None and picture.note == ""
        assert picture.icc == kept.get("icc_profile")
    Image.fromarray(rgb).save(tmp_path / "d.jpg", dpi=(300, 300))
    assert pictures.read(tmp_path / "d.jpg").dpi == (300, 300)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path, rgb, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(rgb).save(tmp_path / "o.png", exif=exif)
    from PIL import ImageOps

    expected = np.array(ImageOps.exif_transpose(Image.open(tmp_path / "o.png")))
    assert np.array_equal(pictures.read(tmp_path / "o.png").rgb, expected)
    deep = rgb.astype(np.uint16) * 257
    assert np.array_equal(upright(deep, orientation), expected.astype(np.uint16) * 257)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_in(tmp_path, rng, channels, suffix):
    pixels = rng.integers(0, 65536, (21, 34, channels), np.uint16)
    if suffix == ".tif":
        tifffile.imwrite(tmp_path / "p.tif", pixels.squeeze(), photometric="minisblack" if channels == 1 else "rgb",
                         extrasamples=["unassalpha"] if channels == 4 else None)  # fmt: skip
    else:
        cv2.imwrite(str(tmp_path / "p.png"), pixels[..., [2, 1, 0, 3][:channels]] if channels > 1 else pixels)
    picture = pictures.read(tmp_path / f"p{suffix}")
    assert picture.rgb.dtype == np.uint16
    assert np.array_equal(picture.rgb, pixels[..., :3] if channels > 1 else pixels.repeat(3, 2))
    assert (picture.alpha is None) == (channels != 4) and (
        channels != 4 or np.array_equal(picture.alpha, pixels[..., 3])
    )


def test_float_tiff_becomes_sixteen_bits(tmp_path, rng):
    pixels = rng.random((9, 11, 3), np.float32) * 1.2 - 0.1
    tifffile.imwrite(tmp_path / "f.tif", pixels, photometric="rgb")
    got = pictures.read(tmp_path / "f.tif").rgb
    assert got.dtype == np.uint16 and np.abs(got / 65535 - pixels.clip(0, 1)).max() < 1e-5


@pytest.mark.parametrize("shape", [(21, 34), (21, 34, 3), (21, 34, 4), (1, 1, 4), (5, 1)])
@pytest.mark.parametrize("form", ["png", "tiff"])
def test_sixteen_bits_out_as_other_readers_see_it(tmp_path, rng, shape, form):
    pixels = rng.integers(0, 65536, shape, np.uint16)
    data = pictures.encode(pixels, form, SRGB, (300, 240))
    if form == "tiff":
        with tifffile.TiffFile(io.BytesIO(data)) as f:
            page = f.pages[0]
            assert np.array_equal(page.asarray(), pixels)
            assert page.get_resolution() == (300, 240)
            if len(shape) == 3:
                assert bytes(page.tags["InterColorProfile"].value) == SRGB
            if shape[-1] == 4 and len(shape) == 3:
                assert page.tags["ExtraSamples"].value == (2,)
    else:
        image = Image.open(io.BytesIO(data))
        image.load()
        assert image.info["dpi"] == pytest.approx((300, 240), abs=0.02)
        assert image.info.get("icc_profile") == (SRGB if len(shape) == 3 else None)
    seen = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(seen, pixels if pixels.ndim == 2 else pixels[..., [2, 1, 0, 3][: shape[2]]])


@pytest.mark.parametrize("form", ["png", "tiff", "webp"])
@pytest.mark.parametrize("shape", [(12, 17), (12, 17, 3), (12, 17, 4)])
def test_eight_bits_out(rng, form, shape):
    pixels = rng.integers(0, 256, shape, np.uint8)
    image = Image.open(io.BytesIO(pictures.encode(pixels, form, SRGB, (96, 96))))
    back = np.array(image.convert({2: "L"}.get(len(shape), "RGBA" if shape[-1] == 4 else "RGB")))
    assert np.array_equal(back, pixels)
    assert image.info.get("icc_profile") == (SRGB if len(shape) == 3 else None)


def test_webp_of_sixteen_bits_is_rounded(rng):
    pixels = rng.integers(0, 65536, (8, 9, 3), np.uint16)
    back = np.array(Image.open(io.BytesIO(pictures.encode(pixels, "webp"))))
    assert np.array_equal(back, np.round(pixels / 257).astype(np.uint8))


def test_modes(tmp_path, rgb):
    alpha = np.arange(21 * 34, dtype=np.uint8).reshape(21, 34)
    grey = rgb[..., 0]
    Image.fromarray(grey).save(tmp_path / "l.png")
    assert np.array_equal(pictures.read(tmp_path / "l.png").rgb, grey[..., None].repeat(3, 2))
    Image.merge("LA", (Image.fromarray(grey), Image.fromarray(alpha))).save(tmp_path / "la.png")
    assert np.array_equal(pictures.read(tmp_path / "la.png").alpha, alpha)
    Image.fromarray(rgb).quantize(16).save(tmp_path / "p.png", transparency=3)
    expected = np.array(Image.open(tmp_path / "p.png").convert("RGBA"))
    got = pictures.read(tmp_path / "p.png")
    assert np.array_equal(got.alpha, expected[..., 3]) and (got.alpha == 0).any()
    Image.fromarray(grey > 128).save(tmp_path / "1.png")
    assert set(np.unique(pictures.read(tmp_path / "1.png").rgb)) == {0, 255}
    Image.fromarray(rgb).save(tmp_path / "t.png", transparency=tuple(int(v) for v in rgb[0, 0]))
    assert pictures.read(tmp_path / "t.png").alpha[0, 0] == 0


def test_cmyk_without_and_with_a_profile_that_is_none_of_rgb(tmp_path):
    flat = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    flat.save(tmp_path / "c.tif")
    assert pictures.read(tmp_path / "c.tif").rgb[0, 0].tolist() == [255, 0, 0]
    broken = bytearray(SRGB)
    broken[16:20] = b"CMYK"  # a profile that cannot be used falls back to the plain conversion, and is dropped
    flat.save(tmp_path / "p.tif", icc_profile=bytes(broken))
    picture = pictures.read(tmp_path / "p.tif")
    assert picture.icc is None and picture.rgb[0, 0].tolist() == [255, 0, 0]


def test_frames_of_an_animation(tmp_path):
    colours = ("red", "lime", "blue")
    frames = [Image.new("RGB", (9, 7), c) for c in colours]
    for name in ("a.gif", "a.webp", "a.png"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=70)
        picture = pictures.read(tmp_path / name)
        assert picture.rgb[3, 3].tolist()[0] > 250 and picture.frames == 3 and picture.durations == [70, 70, 70]
        every = list(pictures.frames_of(tmp_path / name))
        assert [f.rgb[3, 3].argmax() for f in every] == [0, 1, 2]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    assert "first of its 3 pages" in pictures.read(tmp_path / "a.tif").note
    frames[0].save(tmp_path / "p.jpg", "MPO", save_all=True, append_images=frames[1:2])  # Pillow 10 writes no third
    phone = pictures.read(tmp_path / "p.jpg")  # a second picture for depth or another light is none of ours
    assert phone.frames == 1 and not phone.note


@pytest.mark.parametrize(
    "name,data,word",
    [
        ("empty.jpg", b"", "empty"),
        ("text.png", b"not a picture at all", "is no PNG picture"),
        ("head.jpg", b"\xff\xd8\xff\xe0", "damaged"),
        ("zero.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, ""),
    ],
)
def test_what_is_no_picture(tmp_path, name, data, word):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ImageError, match=f"{name}.*{word}") as error:
        pictures.read(tmp_path / name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("form,suffix", [("png", "png"), ("tiff", "tif"), ("jpeg", "jpg"), ("webp", "webp")])
def test_truncated(tmp_path, rng, form, suffix):
    data = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (300, 300, 3), np.uint8)).save(data, form)
    (tmp_path / f"t.{suffix}").write_bytes(data.getvalue()[: len(data.getvalue()) // 2])
    with pytest.raises(ImageError, match=r"t\."):
        pictures.read(tmp_path / f"t.{suffix}")


def test_a_header_that_claims_the_moon(tmp_path):
    data = bytearray(io.BytesIO().getvalue())
    out = io.BytesIO()
    Image.new("L", (1, 1)).save(out, "png")
    data = bytearray(out.getvalue())
    data[16:24] = struct.pack(">II", 60_000, 60_000)
    import zlib

    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    (tmp_path / "b.png").write_bytes(bytes(data))
    with pytest.raises(ImageError, match=r"b\.png"):
        pictures.read(tmp_path / "b.png")


def test_missing_folder_and_forbidden(tmp_path):
    with pytest.raises(ImageError, match="no such file"):
        pictures.read(tmp_path / "none.jpg")
    with pytest.raises(ImageError, match="folder"):
        pictures.read(tmp_path)


def test_files_are_written_whole_or_not_at_all(tmp_path, monkeypatch):
    target = tmp_path / "sub" / "x.png"
    pictures.write(target, b"one")
    assert target.read_bytes() == b"one"
    with pytest.raises(ImageError, match="--overwrite"):
        pictures.write(target, b"two")
    pictures.write(target, b"two", overwrite=True)
    assert target.read_bytes() == b"two"

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ImageError, match="no space"):
        pictures.write(target, b"three", overwrite=True)
    assert target.read_bytes() == b"two" and [p.name for p in target.parent.iterdir()] == ["x.png"]
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ImageError, match="folder|exist"):
        pictures.write(tmp_path / "file" / "x.png", b"")


@pytest.mark.skipif(sys.platform == "win32", reason="limits of the process are POSIX")
def test_a_disk_that_fills_up(tmp_path):
    """The real thing: a limit on file size makes the write itself fail."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(ImageError, match="too large"):
            pictures.write(tmp_path / "x.png", b"\0" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
