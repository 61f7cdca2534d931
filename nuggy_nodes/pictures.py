"""Picture files in and out: orientation, depth, colour profile, resolution and transparency survive.

Pixels are NumPy arrays [H,W,3] of uint8 or uint16. Pillow reads and writes what it can in full; 16-bit colour, which
it cannot, goes through OpenCV (and pictures_deep.py on the way out).
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from .core.errors import ImageError
from .pictures_deep import encode_png16, encode_tiff16

SUFFIXES = frozenset(
    (
        ".jpg",
        ".jpeg",
        ".jpe",
        ".png",
        ".apng",
        ".webp",
        ".tif",
        ".tiff",
        ".bmp",
        ".gif",
        ".avif",
        ".jp2",
        ".ppm",
        ".pgm",
    )
)
FORMATS = {"png": ".png", "webp": ".webp", "tiff": ".tif"}
MOST_PIXELS = 500_000_000  # above it a header is more likely an attack than a photograph
STRIP = 1 << 20  # pixels that are taken out of Pillow's memory at a time


@dataclass
class Picture:
    """rgb [H,W,3], alpha [H,W] or None, both uint8 or both uint16; icc: an RGB profile; note: what was left out."""

    rgb: np.ndarray
    alpha: np.ndarray | None = None
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None
    note: str = ""


def read(path: Path) -> Picture:
    """Read a picture file upright. Raises ImageError, which says why in one line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own limit and metadata warnings; ours follow
            data = path.read_bytes()
            if not data:
                raise ImageError(f"{path}: the file is empty")
            with Image.open(io.BytesIO(data)) as image:
                return _decode(image, data, path)
    except UnidentifiedImageError:
        pixels = _decode_deep(data, 1) if data[:4] in (b"II*\0", b"MM\0*") else None
        if pixels is not None:  # a float TIFF, which Pillow does not know
            alpha = pixels[..., 3] if pixels.shape[2] == 4 else None
            return Picture(pixels[..., :3], alpha, note="its colour profile and resolution are left out")
        raise ImageError(f"{path}: not a picture in a format that can be read here") from None
    except Image.DecompressionBombError as e:
        raise ImageError(f"{path}: {e}") from None
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, MemoryError) as e:
        raise ImageError(f"{path}: {_reason(e)}") from None


def _decode(image: Image.Image, data: bytes, path: Path) -> Picture:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise ImageError(f"{path}: {width}x{height} is over the limit of {MOST_PIXELS // 1_000_000} megapixels")
    frames = getattr(image, "n_frames", 1)
    note = f"only the first of its {frames} frames is used" if frames > 1 else ""
    icc = image.info.get("icc_profile") or None
    dpi = image.info.get("dpi")
    dpi = (float(dpi[0]), float(dpi[1])) if dpi and all(0 < float(d) < 1e6 for d in dpi) else None
    orientation = image.getexif().get(0x0112, 1)
    if _is_deep(image, data):
        pixels = _decode_deep(data, orientation)
        if pixels is not None:
            if icc and icc[16:20] != b"RGB ":
                icc, note = None, note or "its grey colour profile is left out"
            return Picture(pixels[..., :3], pixels[..., 3] if pixels.shape[2] == 4 else None, icc, dpi, note)
        note = note or "read in 8 bits"
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    transparent = image.has_transparency_data
    if icc and icc[16:20] != b"RGB ":  # a CMYK or grey profile says nothing of RGB: convert by it, then drop it
        image, icc = _to_srgb(image, icc), None
    mode = "RGBA" if transparent else "RGB"
    image = image if image.mode == mode else image.convert(mode)  # which would copy
    return Picture(*_pixels(image), icc, dpi, note)


def _pixels(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """[H,W,3] and, of an RGBA picture, [H,W]; some rows at a time: Pillow hands pixels over as bytes, twice."""
    rgb = np.empty((image.height, image.width, 3), np.uint8)
    alpha = np.empty(rgb.shape[:2], np.uint8) if image.mode == "RGBA" else None
    rows = max(STRIP // image.width, 1)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        part = np.asarray(image.crop((0, top, image.width, bottom)))
        rgb[top:bottom] = part[..., :3]
        if alpha is not None:
            alpha[top:bottom] = part[..., 3]
    return rgb, alpha


def _to_srgb(image: Image.Image, icc: bytes) -> Image.Image:
    if image.mode not in ("CMYK", "L"):
        return image
    try:
        converted = ImageCms.profileToProfile(
            image, ImageCms.ImageCmsProfile(io.BytesIO(icc)), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return image if converted is None else converted


def _is_deep(image: Image.Image, data: bytes) -> bool:
    """More than 8 bits a channel? (Pillow reads 16-bit colour as 8.)"""
    if image.format == "PNG":
        return len(data) > 24 and data[24] == 16
    if image.format == "TIFF":
        return max(image.tag_v2.get(258, (8,))) > 8  # type: ignore[attr-defined]
    return image.mode.startswith("I;16")


def _decode_deep(data: bytes, orientation: int) -> np.ndarray | None:
    """[H,W,3 or 4] uint16, upright, or None where OpenCV cannot. Float pictures are taken as 0..1."""
    import cv2

    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if pixels is None or pixels.dtype not in (np.uint16, np.float32, np.float64):
        return None
    if pixels.dtype != np.uint16:
        pixels = np.nan_to_num(pixels, posinf=1.0, neginf=0.0)
        pixels = (pixels.clip(0, 1) * 65535).round().astype(np.uint16)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, 2)
    elif pixels.shape[2] == 2:
        pixels = pixels[..., [0, 0, 0, 1]]
    else:
        pixels = pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    return np.ascontiguousarray(_upright(pixels, orientation))


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Apply an EXIF orientation, 1..8 (EXIF 2.3, tag 274)."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def encode(pixels: np.ndarray, form: str, icc: bytes | None = None, dpi: tuple[float, float] | None = None) -> bytes:
    """A picture file's bytes. pixels: [H,W], [H,W,3] or [H,W,4] (straight alpha), uint8 or uint16; form: of FORMATS.

    WebP has 8 bits only. An RGB profile is not put on a grey picture.
    """
    if pixels.ndim == 2:
        icc = None
    if pixels.dtype == np.uint16 and form != "webp":
        return (encode_png16 if form == "png" else encode_tiff16)(pixels, icc, dpi)
    if pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    choices: dict[str, dict[str, Any]] = {
        "png": {"compress_level": 3},
        "webp": {"lossless": True, "exact": True, "quality": 40, "method": 2},
        "tiff": {"compression": "tiff_adobe_deflate"},
    }
    options = choices[form]
    if icc:
        options["icc_profile"] = icc
    if dpi and form != "webp":
        options["dpi"] = dpi
    out = io.BytesIO()  # in memory Pillow hands control back between blocks, so that Ctrl-C ends at once
    try:
        Image.fromarray(pixels).save(out, form, **options)
    except ValueError as e:
        raise ImageError(f"a {pixels.shape[1]}x{pixels.shape[0]} picture cannot be stored as {form}: {e}") from e
    return out.getvalue()


def write(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Write a file whole or not at all. Raises ImageError; an existing file stays unless `overwrite`."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "xb") as f:
            f.write(data)
            f.flush()
        if not overwrite and path.exists():
            raise ImageError(f"{path}: exists; give --overwrite to replace it")
        os.replace(temporary, path)
    except OSError as e:
        raise ImageError(f"{path}: cannot be written: {_reason(e)}") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _reason(e: BaseException) -> str:
    if isinstance(e, MemoryError):
        return "too large for this machine's memory"
    if isinstance(e, OSError) and e.errno is not None:
        known = {
            errno.ENOSPC: "no space left on the disk",
            errno.EFBIG: "the file is too large for the disk or the user's limit",
            errno.EROFS: "the disk is read-only",
            errno.EACCES: "no permission",
            errno.EPERM: "no permission",
            errno.ENOENT: "no such file",
            errno.EISDIR: "is a folder",
            errno.ENOTDIR: "part of the path is not a folder",
            errno.ENAMETOOLONG: "the name is too long",
        }
        return known.get(e.errno, e.strerror or str(e))
    text = str(e).splitlines()[0] if str(e) else type(e).__name__
    return f"the file is damaged or incomplete ({text})"
