"""What lets light or gaps through: a subject's alpha made a veil's, or cut into strips or a mesh.

Strokes are asked for where a mask is wrong, and it is wrong more often in such matter than in solid subjects.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
VEILS, MESHES = 0.15, 0.15  # of the subjects
SMALL = np.ones((3, 3), np.uint8)


def matter(rng: np.random.Generator, alpha: Floats) -> Floats:
    """The alpha [h,w] of a subject, 0..1, as it is or, now and then, see-through or with gaps."""
    kind = rng.random()
    if kind < VEILS:
        return veil(rng, alpha)
    return mesh(rng, alpha) if kind < VEILS + MESHES else alpha


def veil(rng: np.random.Generator, alpha: Floats) -> Floats:
    """See-through inside; six in ten have a solid rim of 1 to 7 pixels."""
    inner = _inner(alpha, int(rng.integers(1, 8))) if rng.random() < 0.6 else alpha
    return np.asarray(alpha * (1 - inner * (1 - rng.uniform(0.15, 0.8))), np.float32)


def mesh(rng: np.random.Generator, alpha: Floats) -> Floats:
    """Bent strips, or a mesh of two such sets across each other; four in ten have a solid rim."""
    y, x = np.mgrid[: alpha.shape[0], : alpha.shape[1]]
    period, duty, turn = rng.uniform(3, 14), rng.uniform(0.25, 0.75), rng.uniform(0, np.pi)
    gaps = np.ones_like(alpha)
    for angle in (turn, turn + np.pi / 2)[: 1 + int(rng.random() < 0.5)]:
        bent = cv2.resize(rng.normal(0, 1, (5, 5)).astype(np.float32), alpha.shape[::-1], interpolation=cv2.INTER_CUBIC)
        along = (x * np.cos(angle) + y * np.sin(angle)) / period + 0.6 * bent
        gaps = gaps * np.clip((np.abs(along % 1 - 0.5) * 2 - duty) * 4 + 0.5, 0, 1)
    solid = 1 - gaps if rng.random() < 0.5 else gaps
    if rng.random() < 0.4:
        return np.asarray(alpha * (1 - _inner(alpha, int(rng.integers(2, 8))) * (1 - solid)), np.float32)
    return np.asarray(alpha * solid, np.float32)


def _inner(alpha: Floats, rim: int) -> Floats:
    return np.asarray(cv2.erode(alpha, SMALL, iterations=rim), np.float32)
