"""Pillow's part: 8-bit pictures, and profiles of other colours than RGB turned into sRGB.

Pillow is given the one format that the first bytes told, so that none of its plug-ins that start a program is asked.
"""

from __future__ import annotations

import contextlib
import io
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps, ImageSequence, features

from ..core.errors import ImageError
from . import exif
from .limits import MOST_MEGAPIXELS, check_size
from .picture import Picture, both, rgb_profile

NAMES = {"NETPBM": ("PPM",)}
STRIP = 1 << 20  # pixels that are taken out of Pillow's memory at a time
ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")
_lock = threading.RLock()


@contextlib.contextmanager
def opened(data: bytes, form: str, path: Path, megapixels: float = MOST_MEGAPIXELS) -> Iterator[Image.Image]:
    """The picture, its header read and its size checked. Pillow's own limit, of pixels, is ours meanwhile."""
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            with Image.open(io.BytesIO(data), formats=NAMES.get(form, (form,))) as image:
                check_size(image.width, image.height, path, form, len(data), _samples(image), megapixels)
                yield image
        finally:
            Image.MAX_IMAGE_PIXELS = before


def decode(data: bytes, form: str, path: Path, megapixels: float = MOST_MEGAPIXELS) -> Picture:
    """The first frame, upright. Raises ImageError, and what Pillow raises for damaged files."""
    with opened(data, form, path, megapixels) as image:
        return of_pillow(image, form)


def of_pillow(image: Image.Image, form: str) -> Picture:
    """A Picture of an opened Pillow image."""
    frames = getattr(image, "n_frames", 1) if form in (*ANIMATED, "TIFF") else 1  # a phone's second picture is none
    note = f"only the first of its {frames} pages is used" if form == "TIFF" and frames > 1 else ""
    durations = _durations(image, frames) if form in ANIMATED and frames > 1 else []
    info = dict(image.info)
    icc, dpi = info.get("icc_profile") or None, _dpi(info.get("dpi"))
    image.load()
    block = exif.kept(image)
    ImageOps.exif_transpose(image, in_place=True)
    transparent = image.has_transparency_data
    if icc and icc[16:20] != b"RGB ":  # a CMYK or grey profile says nothing of RGB: convert by it, then drop it
        image = _to_srgb(image, icc)
    icc = rgb_profile(icc)
    if image.mode == "LAB":
        image = _lab_to_srgb(image)
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return Picture(*_deep(image), icc, dpi, note, block)
    mode = "RGBA" if transparent else "RGB"
    image = image if image.mode == mode else image.convert(mode)  # which would copy
    rgb, alpha = _pixels(image)
    return Picture(rgb, alpha, icc, dpi, note, block, frames if durations else 1, durations, plays(info, form))


def frames(data: bytes, form: str, path: Path, megapixels: float = MOST_MEGAPIXELS) -> Iterator[Picture]:
    """Every frame of an animation, one after the other, each as it is shown."""
    with opened(data, form, path, megapixels) as image:
        for frame in ImageSequence.Iterator(image):
            rgb, alpha = _pixels(frame.convert("RGBA"))
            yield Picture(rgb, None if alpha is None or bool((alpha == 255).all()) else alpha)


def plays(info: dict[Any, Any], form: str) -> int:
    """How often an animation is played, 0 for ever. A GIF tells how often more (Netscape's extension), or nothing."""
    told = info.get("loop", 1 if form == "GIF" else 0)
    told = told if isinstance(told, int) and told >= 0 else 0
    return told + 1 if form == "GIF" and told and "loop" in info else told


def exif_of(data: bytes, form: str, path: Path) -> bytes | None:
    """The EXIF block alone; None where there is none that can be read."""
    with contextlib.suppress(Exception), opened(data, form, path, float("inf")) as image:
        return exif.kept(image)
    return None


def has_avif() -> bool:
    """Whether this Pillow reads and writes AVIF."""
    return bool(features.check("avif")) if "avif" in features.features | features.modules else False


def _samples(image: Image.Image) -> float:
    return 0.125 if image.mode == "1" else float(len(image.getbands()))


def _durations(image: Image.Image, count: int) -> list[int]:
    found = []
    for i in range(count):
        image.seek(i)
        if image.format == "WEBP":
            image.load()  # tells the time only then
        found.append(round(float(image.info.get("duration", 100) or 0)))
    image.seek(0)
    return found


def _dpi(told: Any) -> tuple[float, float] | None:
    with contextlib.suppress(TypeError, ValueError, IndexError, ZeroDivisionError):
        across, down = float(told[0]), float(told[1])
        return (across, down)
    return None


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


def _deep(image: Image.Image) -> tuple[np.ndarray, None]:
    """Grey of 16 bits (or 32, of which a decoder here makes 16)."""
    values = np.asarray(image)
    values = values.clip(0, 65535).astype(np.uint16) if values.dtype != np.uint16 else values
    return np.repeat(values[..., None], 3, 2), None


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


def _lab_to_srgb(image: Image.Image) -> Image.Image:
    made = ImageCms.profileToProfile(
        image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    if made is None:
        raise ImageError("LAB colours cannot be converted here")
    return made


def noted(picture: Picture, note: str) -> Picture:
    """The picture with one more note."""
    picture.note = both(picture.note, note)
    return picture
