"""EXIF blocks: kept, with the orientation that the written pixels have, and without what would be wrong of them."""

from __future__ import annotations

import contextlib
import struct

from PIL import Image

ORIENTATION = 0x0112
# tags of a TIFF that tell of the photograph, not of how its pixels are stored: description, camera, time, author,
# rights, and the blocks of EXIF and GPS
TOLD = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298, 0x8769, 0x8825)
HEAD = b"Exif\0\0"


def kept(image: Image.Image) -> bytes | None:
    """The EXIF block of an opened picture with orientation 1, without a thumbnail; None where there is none."""
    with contextlib.suppress(Exception):  # the block is somebody's own idea of EXIF
        told = image.getexif()
        if image.format == "TIFF":
            return _of_tiff(told)
        if len(told):
            made = Image.Exif()
            made.load(told.tobytes())
            if ORIENTATION in made:
                made[ORIENTATION] = 1
            return made.tobytes()
    return None


def _of_tiff(told: Image.Exif) -> bytes | None:
    made = Image.Exif()
    for tag in TOLD:
        if tag in (0x8769, 0x8825):
            block = told.get_ifd(tag)
            if block:
                made[tag] = dict(block)
        elif tag in told:
            made[tag] = told[tag]
    return made.tobytes() if len(made) else None


def orientation(exif: bytes | None) -> int:
    """The orientation that an EXIF block tells; 1 where it tells none."""
    if not exif:
        return 1
    try:
        told = Image.Exif()
        told.load(exif)
        value = told.get(ORIENTATION, 1)
    except Exception:  # as above
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright(exif: bytes) -> bytes:
    """A block with orientation 1; as it is where it cannot be read."""
    try:
        told = Image.Exif()
        told.load(exif)
        if told.get(ORIENTATION, 1) == 1:
            return exif
        told[ORIENTATION] = 1
        return told.tobytes()
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, struct.error):
        return exif


def words(exif: bytes | None) -> dict[int, str]:
    """The tags of a block that hold text and are TIFF's own."""
    if not exif:
        return {}
    with contextlib.suppress(Exception):  # as above
        told = Image.Exif()
        told.load(exif)
        return {t: str(told[t]).encode("ascii", "replace").decode() for t in TOLD[:7] if isinstance(told.get(t), str)}
    return {}
