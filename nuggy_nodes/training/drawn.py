"""Drawn scenes: a motif over a photograph; and strands drawn along the contours of a photograph's subject."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from . import growths, meshes, motifs
from .camera import draw_camera
from .motifs import Desk, Layer
from .scene import Scene
from .shapes import Bytes
from .views import Look, see

Motif = Callable[[Desk], None]
MOTIFS: dict[str, tuple[Motif, float]] = {  # and the share of each
    "fur": (motifs.furry, 0.22),
    "feelers": (motifs.feelers, 0.07),
    "fringe": (growths.fringe, 0.09),
    "foliage": (growths.foliage, 0.07),
    "grass": (growths.grass, 0.06),
    "threads": (growths.threads, 0.09),
    "racket": (meshes.racket, 0.12),
    "net": (meshes.net, 0.1),
    "web": (meshes.web, 0.07),
    "wheel": (meshes.wheel, 0.06),
    "grille": (meshes.grille, 0.05),
}


def ground(rng: np.random.Generator, photo: Bytes, size: int) -> tuple[Bytes, float]:
    """A part of a photograph as the square behind a subject, and by how many pixels it is out of focus."""
    side = rng.uniform(0.3, 1.0)
    x, y = rng.uniform(side / 2, 1 - side / 2, 2)
    out = see(photo, Look(float(x), float(y), side, side, float(rng.normal(0, 0.1)), bool(rng.random() < 0.5)), size)
    blur = 0.0 if rng.random() < 0.35 else float(rng.uniform(1, 14) * size / 1024)
    return (np.asarray(cv2.GaussianBlur(out, (0, 0), blur), np.uint8) if blur else out), blur


def drawn(rng: np.random.Generator, photo: Bytes, other: Bytes, size: int, kind: str = "") -> Scene:
    """A motif of MOTIFS (by chance) over a part of `photo`, its surfaces taken from `other`, [H,W,3] uint8 each.

    One in four stands close to the background in colour. One in four has clutter behind it that is no subject: the
    same kinds of thing, out of focus, so that being thin is not what makes a subject.
    """
    back, blur = ground(rng, photo, size)
    names = list(MOTIFS)
    shares = np.array([MOTIFS[n][1] for n in names])
    kind = kind or str(rng.choice(names, p=shares / shares.sum()))
    desk = Desk(rng, size, other, back, near=bool(rng.random() < 0.25))
    MOTIFS[kind][0](desk)
    clutter: Sequence[Layer] = ()
    if rng.random() < 0.25:
        behind = Desk(rng, size, photo, back, near=True)
        (growths.grass if rng.random() < 0.5 else growths.foliage)(behind)
        clutter = behind.layers
    none = np.zeros((size, size), np.uint8)
    return Scene(back, none, np.full_like(none, 255), desk.layers, clutter,
                 max(blur, rng.uniform(3, 10)) * size / 1024, draw_camera(rng), kind=kind)  # fmt: skip


def adorned(rng: np.random.Generator, scene: Scene) -> Scene:
    """A photograph's scene with fur or whiskers drawn on its subject's contour, in the colours found there."""
    desk = Desk(rng, len(scene.ground), scene.ground, scene.ground)
    sure = np.where(scene.trust > 127, scene.truth, 0).astype(np.uint8)
    if rng.random() < 0.7:
        motifs.hair_on(desk, sure, scene.ground, rng.uniform(0.3, 1))
    else:
        motifs.whiskers_on(desk, sure, scene.ground)
    scene.layers, scene.kind, scene.keep = desk.layers, "adorned", False
    return scene
