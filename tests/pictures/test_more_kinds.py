"""JPEG XL's header, a camera's TIFF, EXIF in TIFF, colours in a photograph's profile, and a run that is killed."""

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageCms

from nuggy_nodes import pictures
from nuggy_nodes.cli.backdrop import backdrop
from nuggy_nodes.core import ImageError
from nuggy_nodes.pictures import jxl

ROOT = Path(__file__).resolve().parents[2]


def bits(*fields: tuple[int, int]) -> bytes:
    """A codestream's beginning of (value, width) fields, the least bit first (ISO/IEC 18181-1, annex B)."""
    total, at = 0, 0
    for value, width in fields:
        total |= value << at
        at += width
    return b"\xff\x0a" + total.to_bytes(30, "little")


@pytest.mark.parametrize("fields,expected", [
    (((1, 1), (10, 5), (0, 3), (15, 5)), (128, 88)),  # both in eights
    (((1, 1), (7, 5), (1, 3)), (64, 64)),  # a square
    (((0, 1), (1, 2), (2999, 13), (3, 3)), (4000, 3000)),  # 4:3
    (((0, 1), (0, 2), (83, 9), (0, 3), (3, 2), (99999, 30)), (100000, 84)),
])  # fmt: skip
def test_the_size_that_a_jpeg_xl_announces(fields, expected):
    plain = bits(*fields)
    boxed = b"\0\0\0\x0cJXL \r\n\x87\n" + (8 + len(plain)).to_bytes(4, "big") + b"jxlc" + plain
    assert jxl.size(plain) == jxl.size(boxed) == expected


def test_a_jpeg_xl_that_announces_too_much_is_refused_undecoded():
    pytest.importorskip("imagecodecs")
    with pytest.raises(ImageError, match="over the limit"):
        pictures.read(Path("a.jxl"), data=bits((0, 1), (3, 2), (99999, 30), (1, 3)))


def test_a_thumbnail_before_the_photograph_is_passed_over_and_a_cameras_is_none():
    full, small = np.full((20, 30, 3), 9, np.uint8), np.full((5, 6, 3), 200, np.uint8)
    out = io.BytesIO()
    with tifffile.TiffWriter(out) as file:
        file.write(small, photometric="rgb", subfiletype=1)
        file.write(full, photometric="rgb")
    assert np.array_equal(pictures.read(Path("a.tif"), data=out.getvalue()).rgb, full)
    out = io.BytesIO()
    tifffile.imwrite(out, small, photometric="rgb", extratags=[(50706, "B", 4, (1, 4, 0, 0), True)])
    with pytest.raises(ImageError):
        pictures.read(Path("a.tif"), data=out.getvalue())


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_exif_of_a_tiff_comes_and_goes(kind):
    exif, out = Image.Exif(), io.BytesIO()
    exif[0x010F], exif[0x0112] = "a camera", 3
    Image.new("RGB", (9, 7)).save(out, "TIFF", exif=exif.tobytes())
    picture = pictures.read(Path("a.tif"), data=out.getvalue())
    written = pictures.encode(picture.rgb.astype(kind), "tiff", exif=picture.exif)
    found = Image.open(io.BytesIO(written)).getexif() if kind == np.uint8 else None
    with tifffile.TiffFile(io.BytesIO(written)) as file:
        tags = file.pages.first.tags
        assert tags[271].value == "a camera" and tags.valueof(274, 1) == 1
    assert found is None or found[0x010F] == "a camera"


def test_what_a_format_cannot_hold_is_said():
    with pytest.raises(ImageError, match="webp holds at most 16383 a side"):
        pictures.encode(np.zeros((1, 20000, 3), np.uint8), "webp")


def test_a_background_is_converted_into_the_photographs_profile():
    imagecodecs = pytest.importorskip("imagecodecs")
    wide = imagecodecs.cms_profile("adobergb")
    colours, there = backdrop("#00c800").planes(2, 2, wide, torch.device("cpu"))
    assert there is None
    stored = Image.fromarray((colours[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
    seen = ImageCms.profileToProfile(stored, io.BytesIO(wide), ImageCms.createProfile("sRGB"))
    assert np.abs(np.asarray(seen)[0, 0].astype(int) - (0, 200, 0)).max() <= 3
    plain, _ = backdrop("#00c800").planes(2, 2, None, torch.device("cpu"))
    assert np.array_equal((plain[0, :, 0, 0] * 255).round().numpy(), [0, 200, 0])


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_what_a_killed_run_leaves_is_cleared_by_the_next(tmp_path):
    code = (
        "import os, pathlib, signal, sys\nfrom nuggy_nodes.pictures import write\n"
        "os.replace = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write(pathlib.Path(sys.argv[1]) / 'a.png', b'x' * 1000)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=env, timeout=60)
    assert done.returncode == -signal.SIGKILL
    left = [p.name for p in tmp_path.iterdir()]
    assert len(left) == 1 and left[0].endswith(".part")
    pictures.clear_parts(tmp_path)
    assert not list(tmp_path.iterdir())
    before = tmp_path / f".nuggy-{os.getpid()}-0a.part"  # in a container the next run has the same number
    before.write_bytes(b"x")
    os.utime(before, (1e9, 1e9))
    pictures.clear_parts(tmp_path)
    assert not before.exists()
