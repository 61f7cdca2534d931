"""Pixels from one RGB profile to another."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms


def in_profile(pixels: np.ndarray, source: bytes | None, target: bytes | None) -> np.ndarray:
    """[H,W,3] uint8 or uint16 in one profile (None: sRGB) as uint8 in another; as it is where a profile is no good."""
    if source == target:
        return pixels
    eight = pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
    try:
        made = ImageCms.profileToProfile(
            Image.fromarray(eight),
            _profile(source),
            _profile(target),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return pixels
    return pixels if made is None else np.asarray(made)


def _profile(icc: bytes | None) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(io.BytesIO(icc) if icc else ImageCms.createProfile("sRGB"))
