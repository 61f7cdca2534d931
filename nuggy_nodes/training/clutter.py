"""What stands behind a subject and is none: railings, fences, poles, wires, reeds; out of focus, or as sharp as it.

Each takes a Desk and adds layers, as the motifs do, but runs from one side of the frame to the other: part of a place,
not a thing in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from . import growths, meshes
from .motifs import Desk, Layer
from .shapes import Bytes, fill, oval, ribbon, surface
from .strands import Floats, Warp, curves, lines, strokes

SHARP = 0.5  # of what stands behind is as sharp as the subject
NEAR = 0.4  # has the ground's colours


def poles(d: Desk) -> None:
    """One to nine posts, trunks or masts, upright or lying, striped by chance."""
    rng, s = d.rng, d.size
    lean, upright = rng.normal(0, 0.08), rng.random() < 0.75
    width = s * d.many(4, 45) / 1000
    whole: list[Floats] = []
    stripes: list[Floats] = []
    for _ in range(int(rng.integers(1, 10))):
        start, end = (float(x) for x in np.sort(rng.uniform(-0.3, 1.3, 2)) * s)
        along = np.linspace(start, end, 24)
        across = rng.uniform(0, 1) * s + (along - s / 2) * (lean + rng.normal(0, 0.02))
        line = np.asarray(np.stack((across, along) if upright else (along, across), 1), np.float32)
        thick = width * np.exp(rng.normal(0, 0.2))
        whole.append(ribbon(line, thick))
        stripes += [ribbon(line[i : i + 3], thick) for i in range(0, 22, 4)]
    for outlines in (whole, stripes) if rng.random() < 0.35 else (whole,):
        cover = np.maximum.reduce([fill(s, [o]) for o in outlines])
        d.layers.append(surface(rng, cover, d.photo, d.ink()))


def railing(d: Desk) -> None:
    """Bars side by side from one edge of the frame to the other, and the rails that hold them."""
    rng, s = d.rng, d.size
    n, slope = d.many(8, 60), rng.normal(0, 0.15)
    top = rng.uniform(0.05, 0.7) * s
    foot = top + rng.uniform(0.15, 0.7) * s
    x = (np.linspace(-0.05, 1.05, n) + rng.uniform(-0.5, 0.5) / n) * s
    rise = slope * (x - s / 2)
    start = np.stack((x, top + rise), 1).astype(np.float32)
    end = np.stack((x, foot + rise * rng.uniform(0.3, 1.2)), 1).astype(np.float32)
    w, ink = d.widths(1, 0.8, 5)[0], d.ink()
    d.layers.append(strokes(lines(start, end), w, w, d.shades(ink, n, 0.1), rng, lanes=2))
    for line in (start, end, (start + end) / 2)[: int(rng.integers(1, 4))]:
        d.band(np.asarray(line[:: max(n // 12, 1)], np.float32), s * rng.uniform(0.002, 0.02), ink)


def fence(d: Desk) -> None:
    """A net or wire fence that fills the frame, or a side of it."""
    rng, s = d.rng, d.size
    middle = np.asarray(s * rng.uniform(0.2, 0.8, 2), np.float32)
    warp = Warp(rng, middle, rng.uniform(0.5, 1.0) * s, 0.8)
    kind = str(rng.choice(("square", "diamond", "diamond", "hexagon")))
    meshes.mesh(d, warp, oval(power=8), d.many(12, 60), kind, d.ink())


def wires(d: Desk) -> None:
    """Lines, cables or ropes across the frame, or such as hang down in it."""
    rng, s = d.rng, d.size
    n = d.many(2, 14)
    left = rng.uniform(-0.05, 1.05, n) * s
    right = left + rng.normal(0, 0.3) * s + rng.normal(0, 0.05 * s, n)
    sag = rng.uniform(0, 0.1) * s * np.exp(rng.normal(0, 0.3, n))
    start, end = np.stack((np.full(n, -0.04 * s), left), 1), np.stack((np.full(n, 1.04 * s), right), 1)
    if rng.random() < 0.4:
        start, end, sag = start[:, ::-1], end[:, ::-1], np.zeros(n)
    points, w = lines(start.astype(np.float32), end.astype(np.float32), sag, 60), d.widths(n, 0.7, 5)
    d.layers.append(strokes(points, w, w, d.shades(d.ink(), n, 0.1), rng))


def reeds(d: Desk) -> None:
    """Blades of grass, stalks or bare twigs all along an edge of the frame."""
    rng, s = d.rng, d.size
    n, ink = d.many(60, 700), (d.ink() + np.array([0.0, 0.06, 0.0])).clip(0, 1)
    foot = 1.02 * s - rng.random(n) * rng.uniform(0, 0.4) * s
    root = np.stack((rng.uniform(-0.05, 1.05, n) * s, foot), 1).astype(np.float32)
    length = s * rng.uniform(0.1, 0.6) * np.exp(rng.normal(0, 0.3, n))
    points = curves(root, rng.normal(-np.pi / 2, 0.25, n), length, rng.normal(0, 0.6, n), m=24)
    if rng.random() < 0.2:  # hanging
        points = np.asarray(points * (1, -1) + (0, s), np.float32)
    d.layers.append(strokes(points, d.widths(n, 0.7, 5), 0.4, d.shades(ink, n), rng))


BEHIND: dict[str, tuple[Callable[[Desk], None], float]] = {  # and the share of each
    "poles": (poles, 0.22),
    "railing": (railing, 0.2),
    "fence": (fence, 0.16),
    "wires": (wires, 0.12),
    "reeds": (reeds, 0.14),
    "foliage": (growths.foliage, 0.08),
    "wheel": (meshes.wheel, 0.04),
    "web": (meshes.web, 0.04),
}


def behind(rng: np.random.Generator, photo: Bytes, ground: Bytes, size: int) -> tuple[Sequence[Layer], float]:
    """One or two of BEHIND on `ground` [size,size,3], their surfaces from `photo`; and by how many pixels they are out
    of focus."""
    desk = Desk(rng, size, photo, ground, near=bool(rng.random() < NEAR))
    shares = np.array([share for _, share in BEHIND.values()])
    for kind in rng.choice(list(BEHIND), 1 + (rng.random() < 0.3), p=shares / shares.sum()):
        BEHIND[kind][0](desk)
    blur = rng.uniform(0, 1) if rng.random() < SHARP else rng.uniform(1.5, 10)
    return desk.layers, float(blur * size / 1024)
