"""Pictures for the training tests."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

SIZE = (48, 64)  # height, width


def picture(seed: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A soft coloured pattern, [H,W,3] uint8, with smooth areas that JPEG keeps."""
    rng = np.random.default_rng(seed)
    return cv2.resize(rng.integers(0, 256, (6, 8, 3), np.uint8), size[::-1], interpolation=cv2.INTER_CUBIC)


def disc(size: tuple[int, int] = SIZE) -> np.ndarray:
    """[H,W] uint8: a disc with a soft edge."""
    y, x = np.mgrid[: size[0], : size[1]]
    return (255 * (size[0] / 3 - np.hypot(x - size[1] / 2, y - size[0] / 2) + 0.5).clip(0, 1)).astype(np.uint8)


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels[..., ::-1] if pixels.ndim == 3 else pixels)
