"""Where a cut-out subject stands in a scene: small in the frame, or one of those behind another, who are no subject."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .shapes import Body, Bytes
from .views import Look, see

EMPTY = 25  # of 255: less on a photograph's border, and its frame does not cut the subject
SMALL = (0.125, 0.5)  # of the square's side, which a subject that is small in the frame fills
SHARP, BLURRED = (0.15, 0.35), (0.15, 0.7)  # sides of what stands behind, as shares of the subject's


def placed(alpha: Bytes, share: float, centre: tuple[float, float], flip: bool) -> Look | None:
    """The view in which a subject, alpha [H,W], fills a share of the square, its middle at `centre` (x, y), 0..1.

    None for a subject that its photograph's frame cuts, which would float in the air.
    """
    seen = np.argwhere(alpha > EMPTY)
    edges = (alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1])
    if not len(seen) or any(edge.max() > EMPTY for edge in edges):
        return None
    low, high = seen.min(0), seen.max(0) + 1
    side = float((high - low).max()) / share  # pixels of the photograph that the square shows
    height, width = alpha.shape
    x, y = ((low + high) / 2)[::-1] - (np.array(centre) - 0.5) * side * (-1 if flip else 1, 1)
    return Look(float(x) / width, float(y) / height, side / width, side / height, 0.0, flip)


def small(rng: np.random.Generator, alpha: Bytes) -> Look | None:
    """A view from so far off that a subject is small in the frame, anywhere in it; None as of `placed`."""
    share = float(rng.uniform(*SMALL))
    x, y = rng.uniform(share / 2, 1 - share / 2, 2)
    return placed(alpha, share, (float(x), float(y)), bool(rng.random() < 0.5))


def bystanders(
    rng: np.random.Generator, others: Sequence[tuple[Bytes, Bytes]], cover: Bytes
) -> tuple[list[Body], float]:
    """Other subjects, alpha [H,W] and colours [H,W,3], to stand behind one whose alpha in the square is `cover`; and by
    how many pixels they are out of focus.

    A camera's subject is large and sharp: they are a third of its height at most, or up to 0.7 of it and blurred.
    """
    size = len(cover)
    seen = np.argwhere(cover > 127)
    if not len(seen):
        return [], 0.0
    tall, foot = float(np.ptp(seen, axis=0).max() + 1) / size, float(seen[:, 0].max()) / size
    blurred = rng.random() < 0.6
    bodies = []
    for alpha, colour in others:
        share = tall * float(rng.uniform(*(BLURRED if blurred else SHARP)))
        y = foot - tall * rng.uniform(0, 0.4) - share / 2 if rng.random() < 0.7 else rng.uniform(0.1, 0.9)
        view = placed(alpha, share, (float(rng.uniform(0, 1)), float(y)), bool(rng.random() < 0.5))
        if view is not None:
            bodies.append(Body(see(alpha, view, size), see(colour, view, size)))
    return bodies, float((rng.uniform(2, 8) if blurred else rng.uniform(0, 1)) * size / 1024)
