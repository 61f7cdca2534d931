"""Backgrounds for drawings: a corner of a photograph put out of focus, or clouds of colour where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np


def backgrounds(folder: Path | None, height: int, width: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Without end: [height,width,3] float32: corners of the photographs of `folder`, out of focus; or clouds."""
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png")) if folder else []
    n = 0
    while True:
        photo = cv2.imread(str(files[n % len(files)])) if files else None
        if photo is None:
            out = _clouds(height, width, rng)
        else:
            h, w = photo.shape[:2]
            side = min(h / height, w / width) * 0.33
            ch, cw = int(height * side), int(width * side)
            y, x = 0, (0, w - cw)[n // len(files) % 2]
            crop = cv2.resize(photo[y : y + ch, x : x + cw, ::-1], (width, height), interpolation=cv2.INTER_CUBIC)
            sigma = (2.0, 5.0, 10.0)[n % 3] * width / 1200
            out = cv2.GaussianBlur(crop, (0, 0), sigma).astype(np.float32) / 255
        n += 1
        yield out


def _clouds(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Noise at several scales: what a defocused wall, lawn or sky looks like."""
    out = np.broadcast_to(rng.uniform(0.25, 0.75, 3), (height, width, 3)).astype(np.float32).copy()
    for cells in (3, 8, 30, 120):
        noise = rng.normal(0, 0.25 / cells**0.45, (cells, cells * 4 // 3, 3)).astype(np.float32)
        out += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return out.clip(0, 1)
