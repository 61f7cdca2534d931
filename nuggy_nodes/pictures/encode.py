"""A picture file's bytes: 8 and 16 bits, with profile, resolution and EXIF, one frame or several."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from ..core.errors import ImageError
from . import gif, png_encode
from .exif import words

LOSSY = ("jpeg", "avif")
OPAQUE_ONLY = ("jpeg",)
SIDES = {"webp": 16383, "jpeg": 65535, "avif": 65535}  # pixels, at the most


@dataclass(frozen=True)
class Style:
    """How to store. form: of FORMATS. quality: 1 to 100, of lossy formats, and of WebP, which is lossless without.
    smallest: take the time for the smallest file."""

    form: str = "png"
    quality: int | None = None
    smallest: bool = False


def check_side(width: int, height: int, form: str) -> None:
    """Raises ImageError where a format cannot hold a picture of this size."""
    most = SIDES.get(form)
    if most and max(width, height) > most:
        raise ImageError(f"{width}x{height} pixels: {form} holds at most {most} a side; give png or tiff as the format")


def encode(
    pixels: np.ndarray,
    style: str | Style,
    icc: bytes | None = None,
    dpi: tuple[float, float] | None = None,
    exif: bytes | None = None,
) -> bytes:
    """A picture file's bytes.

    Args:
        pixels: [H,W], [H,W,3] or [H,W,4] (straight alpha), uint8 or uint16; only PNG and TIFF keep 16 bits, and a GIF
            of transparency which pixels are over half there.
        style: a Style, or a format's name.
        icc: an RGB profile, which is not put on a grey picture.
        dpi: dots an inch, across and down.
        exif: an EXIF block.

    Raises:
        ImageError: the format cannot hold the picture.
    """
    style = Style(style) if isinstance(style, str) else style
    check_side(pixels.shape[1], pixels.shape[0], style.form)
    icc = None if pixels.ndim == 2 else icc
    dpi = dpi if dpi and all(0 < d < 1e6 for d in dpi) else None
    if style.form == "gif":
        return gif.encode([eight_bits(pixels)], [0], 0)
    if style.form == "png" and (pixels.dtype == np.uint16 or not style.smallest):
        return _png(pixels, icc, dpi, exif, style)
    if style.form == "tiff" and pixels.dtype == np.uint16:
        return _tiff16(pixels, icc, dpi, exif)
    options = _options(style, icc, dpi, exif)
    out = io.BytesIO()  # in memory Pillow hands control back between blocks, so that Ctrl-C ends at once
    try:
        Image.fromarray(eight_bits(pixels)).save(out, style.form, **options)
    except (ValueError, OSError, struct.error) as e:
        what = f"a {pixels.shape[1]}x{pixels.shape[0]} picture cannot be stored as {style.form}"
        raise ImageError(f"{what}: {e}") from e
    return out.getvalue()


def encode_frames(
    frames: Sequence[np.ndarray], style: Style, durations: Sequence[int], icc: bytes | None = None, plays: int = 0
) -> bytes:
    """Several pictures [H,W,C] as one animation (PNG, WebP, GIF) or as pages (TIFF); AVIF and JPEG take the first.

    durations: in milliseconds. plays: how often, 0 for ever.
    """
    if style.form == "gif":
        return gif.encode([eight_bits(f) for f in frames], durations, plays)
    check_side(frames[0].shape[1], frames[0].shape[0], style.form)
    images = [Image.fromarray(eight_bits(f)) for f in frames]
    if style.form in LOSSY:
        images = images[:1]
    options = _options(style, None if frames[0].ndim == 2 else icc, None, None)
    if style.form in ("png", "webp"):
        options |= {"duration": list(durations), "loop": plays}
    out = io.BytesIO()
    images[0].save(out, style.form, save_all=len(images) > 1, append_images=images[1:], **options)
    return out.getvalue()


def eight_bits(pixels: np.ndarray) -> np.ndarray:
    """uint16 rounded to uint8; uint8 as it is."""
    if pixels.dtype != np.uint16:
        return pixels
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _options(style: Style, icc: bytes | None, dpi: tuple[float, float] | None, exif: bytes | None) -> dict[str, Any]:
    by_form: dict[str, dict[str, Any]] = {
        "png": {"compress_level": 9 if style.smallest else 3, "optimize": style.smallest},  # frames, and the smallest
        "webp": {"lossless": True, "exact": not style.smallest, "quality": 100 if style.smallest else 40,
                 "method": 6 if style.smallest else 2},
        "tiff": {"compression": "tiff_adobe_deflate"},
        "jpeg": {"quality": style.quality or 92, "subsampling": 0 if (style.quality or 92) >= 90 else 2,
                 "optimize": style.smallest},
        "avif": {"quality": style.quality or 85, "speed": 4 if style.smallest else 7},
    }  # fmt: skip
    options = by_form[style.form]
    if style.form == "webp" and style.quality is not None:
        options |= {"lossless": False, "quality": style.quality, "method": 6 if style.smallest else 4}
    if icc:
        options["icc_profile"] = icc
    if exif:
        options["exif"] = exif
    if dpi and style.form in ("png", "tiff", "jpeg"):
        options["dpi"] = tuple(min(d, 65535) for d in dpi) if style.form == "jpeg" else dpi
    return options


def _png(
    pixels: np.ndarray, icc: bytes | None, dpi: tuple[float, float] | None, exif: bytes | None, style: Style
) -> bytes:
    """To PNG (W3C PNG, third edition: iCCP, pHYs and eXIf stand before IDAT)."""
    before = b""
    if icc:
        before += png_encode.chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc))
    if dpi:
        before += png_encode.chunk(b"pHYs", struct.pack(">IIB", *(min(round(d / 0.0254), 2**31 - 1) for d in dpi), 1))
    if exif:
        before += png_encode.chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
    return png_encode.encode(pixels, before, style.smallest)


def _tiff16(pixels: np.ndarray, icc: bytes | None, dpi: tuple[float, float] | None, exif: bytes | None) -> bytes:
    """16 bits to TIFF: deflate with horizontal differences, straight alpha; of EXIF what are a TIFF's own tags."""
    import tifffile

    out = io.BytesIO()
    colour = pixels.ndim == 3
    tifffile.imwrite(
        out,
        pixels,
        photometric="rgb" if colour else "minisblack",
        compression="zlib",
        compressionargs={"level": 4},
        predictor=True,
        extrasamples=["unassalpha"] if colour and pixels.shape[2] == 4 else None,
        iccprofile=icc,
        resolution=dpi,
        resolutionunit="inch" if dpi else None,
        extratags=[(tag, "s", 0, text, True) for tag, text in words(exif).items()],
        software=False,
        metadata=None,
    )
    return out.getvalue()
