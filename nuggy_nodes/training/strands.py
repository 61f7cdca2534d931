"""Geometry of thin structure: curves as polylines, cut into short straight pieces that raster.py paints.

Points are (x, y) in pixels, pixel centres at whole numbers; many strands at once are [n,m,2]: n strands of m points.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
PIECE = 6.0  # longest piece, pixels: with WIDEST it fits raster.py's patch
WIDEST = 5.0


@dataclass(frozen=True)
class Strokes:
    """Pieces of strands. a, b: [N,2] ends; wa, wb: [N] widths there, pixels; colour: [N,3], 0..1; lane: [N] int.

    Within a lane, pieces join (the larger coverage counts); lanes are painted over one another, from 0 on.
    """

    a: Floats
    b: Floats
    wa: Floats
    wb: Floats
    colour: Floats
    lane: NDArray[np.int64]

    @property
    def lanes(self) -> int:
        return int(self.lane.max()) + 1 if len(self.lane) else 0

    def only(self, which: NDArray[np.bool_]) -> Strokes:
        """The pieces where `which` [N] says so."""
        return Strokes(*(getattr(self, f.name)[which] for f in fields(self)))


@dataclass(frozen=True)
class Sheer:
    """Strands that light goes through: `opacity`, 0..1, of what they cover."""

    strokes: Strokes
    opacity: float


def strokes(
    points: Floats,
    width: Floats | float,
    tip: Floats | float,
    colour: Floats,
    rng: np.random.Generator,
    *,
    lanes: int = 6,
    gloss: float = 0.25,
) -> Strokes:
    """Strands [n,m,2] as pieces: the width runs from `width` to `tip`, the colour [n,3] or [3] varies with direction.

    Each strand lies in one of `lanes`, by chance. gloss: how much lighter or darker a strand is where it is turned to
    or from a light whose direction is drawn by chance.
    """
    points = np.asarray(points, np.float32)
    longest = float(np.hypot(*np.moveaxis(np.diff(points, axis=1), -1, 0)).max(initial=0))
    parts = max(int(np.ceil(longest / PIECE)), 1)
    if parts > 1:
        t = np.linspace(0, 1, parts, endpoint=False, dtype=np.float32)
        cut = points[:, :-1, None] * (1 - t[:, None]) + points[:, 1:, None] * t[:, None]
        points = np.concatenate((cut.reshape(len(points), -1, 2), points[:, -1:]), 1)
    n, m = points.shape[:2]
    along = np.linspace(0, 1, m, dtype=np.float32)
    first, last = (np.broadcast_to(np.asarray(v, np.float32), n)[:, None] for v in (width, tip))
    widths = (first * (1 - along) + last * along).clip(0.3, WIDEST)
    step = np.diff(points, axis=1)
    turn = np.arctan2(step[..., 1], step[..., 0]) - rng.uniform(0, 2 * np.pi)
    light = 1 + gloss * np.cos(2 * turn)[..., None]
    shade = (np.broadcast_to(colour, (n, 3))[:, None] * light).clip(0, 1).astype(np.float32)
    lane = np.repeat(rng.integers(0, min(lanes, n), n), m - 1)
    return Strokes(
        points[:, :-1].reshape(-1, 2),
        points[:, 1:].reshape(-1, 2),
        widths[:, :-1].ravel(),
        widths[:, 1:].ravel(),
        shade.reshape(-1, 3),
        lane,
    )


def curves(
    start: Floats, angle: Floats, length: Floats, bend: Floats, curl: Floats | float = 0.0, m: int = 14
) -> Floats:
    """[n,m,2]: from `start` [n,2] in direction `angle` [n], turning by `bend` radians over `length` pixels.

    curl: amplitude, in radians, of a wave in the direction, two to three periods a strand.
    """
    t = np.linspace(0, 1, m - 1, dtype=np.float32)
    wave = np.asarray(curl, np.float32)[..., None] * np.sin(t * 16 + angle[:, None] * 7)
    heading = angle[:, None] + bend[:, None] * t + wave
    steps = np.stack((np.cos(heading), np.sin(heading)), -1) * (length / (m - 1))[:, None, None]
    return np.concatenate((start[:, None], start[:, None] + steps.cumsum(1)), 1).astype(np.float32)


def lines(start: Floats, end: Floats, sag: Floats | float = 0.0, m: int = 24) -> Floats:
    """[n,m,2]: from `start` to `end` [n,2]; sag: how far the middle hangs down, in pixels (a parabola)."""
    t = np.linspace(0, 1, m, dtype=np.float32)[:, None]
    out = start[:, None] * (1 - t) + end[:, None] * t
    out[..., 1] += (np.asarray(sag, np.float32)[..., None] * (4 * t * (1 - t))[:, 0]).reshape(-1, m)
    return np.asarray(out, np.float32)


class Warp:
    """A plane in space: [-1,1] x [-1,1] to pixels, by size, turn, perspective and a slow wave."""

    def __init__(self, rng: np.random.Generator, centre: Floats, radius: float, strength: float = 1.0):
        """centre: [2] pixels; radius: pixels of the unit circle; strength: of perspective and wave."""
        turn, stretch = rng.uniform(0, 2 * np.pi), np.exp(rng.normal(0, 0.25 * strength))
        c, s = np.cos(turn), np.sin(turn)
        self.matrix = radius * np.array([[c, -s], [s, c]]) @ np.diag([stretch, 1 / stretch])
        self.centre = np.asarray(centre, np.float64)
        self.tilt = rng.normal(0, 0.18 * strength, 2).clip(-0.4, 0.4)
        self.wave = rng.normal(0, 0.05 * strength, (2, 2))
        self.phase = rng.uniform(0, 6.3, 2)

    def __call__(self, points: NDArray[np.floating]) -> Floats:
        """[...,2] in the plane to [...,2] pixels."""
        p = np.asarray(points, np.float64)
        p = p + np.sin(p[..., ::-1] * 2.2 + self.phase) @ self.wave
        p = p / (1 + (p * self.tilt).sum(-1, keepdims=True)).clip(0.3)
        return np.asarray(p @ self.matrix.T + self.centre, np.float32)
