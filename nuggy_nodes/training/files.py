"""Picture files as training wants them: 8 bits, upright, no larger than asked."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .. import pictures

Bytes = NDArray[np.uint8]


def colours(path: Path, longest: int = 0) -> Bytes:
    """[H,W,3] uint8; reduced by area to a long side of `longest` (0: as it is). Raises ImageError."""
    return reduced(_eight(pictures.read(path).rgb), longest)


def plane(path: Path, longest: int = 0) -> Bytes:
    """[H,W] uint8: an alpha, from a grey or colour file (its red), or from a cut-out's transparency."""
    picture = pictures.read(path)
    cut_out = picture.alpha is not None and picture.alpha.min() < picture.alpha.max()
    return reduced(_eight(picture.alpha if cut_out else picture.rgb[..., 0]), longest)  # type: ignore[arg-type]


def reduced(pixels: Bytes, longest: int) -> Bytes:
    height, width = pixels.shape[:2]
    if not longest or max(height, width) <= longest:
        return pixels
    scale = longest / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _eight(pixels: NDArray[np.generic]) -> Bytes:
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels, np.uint8)
    return np.ascontiguousarray((pixels.astype(np.uint32) + 128) // 257, np.uint8)
