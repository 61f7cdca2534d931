"""TIFF files (TIFF 6.0, BigTIFF, Adobe's technical notes): tifffile reads the tags, the pixels are put together here.

Grey and RGB of 8 to 64 bits, whole or float, in strips or tiles, interleaved or planar, unpacked without more memory
than the header announces. What else there is (palettes, CMYK, LAB, YCbCr, fax, JPEG) is Pillow's.
"""

from __future__ import annotations

import contextlib
import io
import logging
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import ImageError
from .limits import MOST_MEGAPIXELS, check_size
from .picture import Picture, both, rgb_profile, straight, upright, whole
from .tiff_pieces import OURS, packed_bits, unpacked, unpredicted

GREY_INVERTED, GREY, RGB, CMYK = 0, 1, 2, 5
CFA, LINEAR_RAW = 32803, 34892
DNG, REDUCED = 50706, 1  # the tag of a DNG's version; the bit of NewSubfileType that says thumbnail
FIRST = 8  # pages among which the photograph is looked for
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
SIGNED_TOP = {8: 127, 16: 32767, 32: 2**31 - 1}


class OfCamera(ImageError):
    """A camera's RAW file, whose first picture is a thumbnail at best."""


def decode(data: bytes, path: Path, megapixels: float = MOST_MEGAPIXELS) -> Picture | None:
    """The first page, upright, in straight alpha; None where Pillow is to read it. Raises ImageError."""
    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            count = len(file.pages)
            page = _main_page(file, min(count, FIRST))
            kind = int(page.photometric) if page.photometric is not None else GREY
            if kind in (CFA, LINEAR_RAW) or page.tags.valueof(DNG) or (page.subfiletype & REDUCED and 330 in page.tags):
                raise OfCamera(f"{path}: holds a camera's raw samples; save it as an ordinary picture first")
            width, height = int(page.imagewidth), int(page.imagelength)
            bits, samples = int(page.bitspersample), int(page.samplesperpixel)
            packing = int(page.compression)
            check_size(width, height, path, "TIFF", len(data), samples * bits / 8, megapixels)
            if (
                kind not in (GREY_INVERTED, GREY, RGB, CMYK)
                or packing not in OURS
                or bits < 8
                or (kind == CMYK and bits == 8)
            ):
                if bits > 8:
                    raise ImageError(f"{path}: {bits}-bit samples of this kind are not read; save it as RGB")
                return None
            pixels = _samples(page, data, path, bits, samples)
            return _picture(page, pixels, kind, bits, path, count)
    except ImageError:
        raise
    except (NameError, AssertionError):  # a bug is told as one
        raise
    except Exception as e:  # tifffile meets a damaged file in many ways; each is that file's
        raise ImageError(f"{path}: the file is damaged or incomplete ({_short(e)})") from None


def _main_page(file: Any, count: int) -> Any:
    """The first page that is no thumbnail, or the first."""
    pages = (file.pages[i] if i else file.pages.first for i in range(count))
    return next((p for p in pages if not p.subfiletype & REDUCED), file.pages.first)


def _samples(page: Any, data: bytes, path: Path, bits: int, samples: int) -> np.ndarray:
    """[H,W,samples] as they are stored, in the machine's byte order."""
    formats = page.sampleformat if page.sampleformat is not None else UNSIGNED
    form = int(formats[0] if isinstance(formats, tuple) else formats)
    letter = {UNSIGNED: "u", SIGNED: "i", FLOAT: "f"}.get(form, "u")
    odd = 8 < bits < 16 and letter == "u" and int(page.predictor or 1) == 1
    if (bits not in (8, 16, 32, 64) and not odd) or (letter == "f" and bits == 8) or (letter != "f" and bits == 64):
        raise ImageError(f"{path}: samples of {bits} bits are not read; save it with 8, 16 or 32")
    order = page.parent.byteorder
    kind = np.dtype(f"{order}{letter}{-(-bits // 8)}")
    height, width = int(page.imagelength), int(page.imagewidth)
    planar = int(page.planarconfig or 1) == 2 and samples > 1
    each = 1 if planar else samples
    if page.is_tiled:
        rows, columns = int(page.tilelength), int(page.tilewidth)
    else:
        rows, columns = min(int(page.rowsperstrip or height), height), width
    if rows < 1 or columns < 1 or rows * columns > 4 * (height + 4096) * (width + 4096):
        raise ImageError(f"{path}: the file is damaged (pieces of {columns}x{rows})")
    down, across = -(-height // rows), -(-width // columns)
    out = np.zeros((height, width, samples), kind.newbyteorder("="))
    places = list(zip(page.dataoffsets, page.databytecounts))
    if len(places) < down * across * (samples if planar else 1):
        raise ImageError(f"{path}: the file is damaged or incomplete")
    for i in range(down * across * (samples if planar else 1)):
        plane, rest = divmod(i, down * across)
        y, x = rest // across * rows, rest % across * columns
        high = rows if page.is_tiled else min(rows, height - y)
        start, length = places[i]
        if start + length > len(data) or length == 0:
            raise ImageError(f"{path}: the file is damaged or incomplete")
        wide = columns * each * kind.itemsize if bits % 8 == 0 else -(-columns * each * bits // 8)
        raw = unpacked(data[start : start + length], int(page.compression), (high, wide), path)
        if bits % 8:
            piece = packed_bits(raw, bits, high, columns * each).reshape(high, columns, each)
        else:
            piece = unpredicted(raw, int(page.predictor or 1), (high, columns, each), kind, order)
        part = piece[: height - y, : width - x]
        if planar:
            out[y : y + high, x : x + columns, plane : plane + 1] = part
        else:
            out[y : y + high, x : x + columns] = part
    return out


def _picture(page: Any, pixels: np.ndarray, kind: int, bits: int, path: Path, count: int) -> Picture:
    """Colours and alpha in whole numbers, with what the tags tell."""
    top, deep, note = _range(pixels, bits)
    colours = {RGB: 3, CMYK: 4}.get(kind, 1)
    if pixels.shape[2] < colours:
        raise ImageError(f"{path}: the file is damaged (RGB with {pixels.shape[2]} samples)")
    extra = [int(e) for e in (page.extrasamples or ())]
    rgb = whole(pixels[..., :colours], top, deep)
    if kind == GREY_INVERTED:
        rgb = np.iinfo(rgb.dtype).max - rgb
    rgb = np.repeat(rgb, 3, 2) if colours == 1 else rgb
    if kind == CMYK:
        rgb, note = _inks(rgb), "its inks are taken for pure ones; save it as RGB for the colours of its profile"
    at = next((i for i, e in enumerate(extra) if e in (1, 2)), None)  # what is of no stated meaning is no transparency
    alpha = None
    if at is not None and colours + at < pixels.shape[2]:
        alpha = whole(pixels[..., colours + at], top, deep)
        if extra[at] == 1:
            rgb = straight(rgb, alpha)
    value = page.tags.valueof(274, 1)
    turn = value if isinstance(value, int) else 1
    icc = page.tags.valueof(34675)
    rgb = upright(rgb, turn)
    icc = rgb_profile(icc)
    note = both(note, f"only the first of its {count} pages is used" if count > 1 else "")
    return Picture(rgb, None if alpha is None else upright(alpha, turn), icc, _dpi(page), note)


def _inks(cmyk: np.ndarray) -> np.ndarray:
    """RGB of pure inks: what cyan, magenta and yellow leave of what black leaves."""
    paper = np.iinfo(cmyk.dtype).max
    left = (paper - cmyk).astype(np.float32)
    return np.rint(left[..., :3] * left[..., 3:] / paper).astype(cmyk.dtype)


def _range(pixels: np.ndarray, bits: int) -> tuple[float, bool, str]:
    """The value that is white, whether to keep 16 bits, and what is to be said."""
    if pixels.dtype.kind == "u":
        return float(2**bits - 1), bits > 8, ""
    if pixels.dtype.kind == "i":
        return float(SIGNED_TOP[bits]), bits > 8, "its samples are signed; what is below 0 is black"
    seen = pixels[np.isfinite(pixels)]
    most = float(seen.max()) if seen.size else 1.0
    if most > 256:
        return 65535.0, True, "its values go beyond 255: 65535 is taken for white"
    if most > 16:
        return 255.0, True, "its values go beyond 1: 255 is taken for white"
    return 1.0, True, "" if most <= 1.0001 else "what is above 1 is white"


def _dpi(page: Any) -> tuple[float, float] | None:
    unit = page.tags.valueof(296, 2)
    inches = {2: 1.0, 3: 2.54}.get(int(unit) if isinstance(unit, int) else 0)
    found = []
    for tag in (282, 283):
        value = page.tags.valueof(tag)
        with contextlib.suppress(TypeError, ZeroDivisionError, IndexError):
            found.append(value[0] / value[1] * (inches or 0))  # type: ignore[index]
    return (found[0], found[1]) if inches and len(found) == 2 else None


def _short(e: BaseException) -> str:
    return (str(e).splitlines() or [""])[0][:120] or type(e).__name__
