"""What a picture file came to: one description, whatever the format."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Picture:
    """A photograph upright, in straight alpha.

    rgb [H,W,3] and alpha [H,W] or None, both uint8 or both uint16. icc: an RGB profile. dpi: across, down. exif: the
    EXIF block with orientation 1, if the file has one. note: what was left out or changed, for the user. frames: how
    many pictures the file holds, of which this is the first. durations: how long each is shown, in milliseconds; plays:
    how often all of them are, 0 for ever.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None = None
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None
    note: str = ""
    exif: bytes | None = None
    frames: int = 1
    durations: list[int] = field(default_factory=list)
    plays: int = 0

    @property
    def deep(self) -> bool:
        """More than 8 bits a sample?"""
        return self.rgb.dtype == np.uint16


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Apply an orientation, 1..8 (EXIF 2.3 and TIFF 6.0, tag 274), to [H,W,...]; others count as 1."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def rgb_profile(icc: object) -> bytes | None:
    """A colour profile, if it is a whole one for RGB (ICC.1:2022, 7.2: size, colour space, signature)."""
    if not isinstance(icc, bytes) or len(icc) < 132 or icc[36:40] != b"acsp" or icc[16:20] != b"RGB ":
        return None
    return icc if 0 <= len(icc) - int.from_bytes(icc[:4], "big") < 4 else None


def both(*notes: str) -> str:
    """Notes joined."""
    return "; ".join(n for n in notes if n)


def straight(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Premultiplied colours [H,W,C] divided by their alpha [H,W], in the same whole numbers; 0 where alpha is 0."""
    top = np.iinfo(colours.dtype).max
    share = np.maximum(alpha, 1).astype(np.float32)[..., None] / top
    return np.where(alpha[..., None] > 0, np.minimum(np.rint(colours / share), top), 0).astype(colours.dtype)


def whole(values: np.ndarray, top: float, deep: bool) -> np.ndarray:
    """Samples 0..top of any type as uint16 (deep) or uint8; what is below or above is clipped, NaN is 0."""
    kind = np.uint16 if deep else np.uint8
    most = np.iinfo(kind).max
    if values.dtype == kind and top == most:
        return values
    out = np.empty(values.shape, kind)
    rows = max((1 << 20) // max(values[:1].size, 1), 1)
    for at in range(0, len(values), rows):  # some rows at a time, so that nothing of full size is held in float64
        with np.errstate(invalid="ignore"):  # a damaged file's idea of a number
            wide = values[at : at + rows].astype(np.float64)
        part = np.nan_to_num(wide, posinf=top, neginf=0.0)
        out[at : at + rows] = np.rint(part.clip(0, top) * (most / top))
    return out
