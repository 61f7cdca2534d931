"""Close-ups for the learned refinement: the edge of something, drawn large, as a window of a photograph would show it.

A scene costs seconds and shows one subject; a close-up costs a tenth of one and is of another stuff each time. What
hair mostly is, thinner than a pixel and soft, is drawn as layers that light goes through, some before the body, some
behind it, all out of focus together.
"""

from __future__ import annotations

import cv2
import numpy as np

from . import meshes
from .camera import draw_camera
from .growths import threads
from .motifs import Desk
from .scene import Scene
from .shapes import Body, Bytes, contour, surface
from .strands import Floats, Sheer, curves, strokes

SIDE = 320  # pixels of a close-up
WHOLE = (640.0, 3600.0)  # pixels of the longer side of the photographs that they are windows of
KINDS = {"fur": 0.3, "hair": 0.22, "tufts": 0.1, "strands": 0.1, "mesh": 0.13, "edge": 0.15}
FINE = 3  # sub-pixels along a pixel's side


def closeup(rng: np.random.Generator, behind: Bytes, stuff: Bytes) -> Scene:
    """A scene of SIDE. behind, stuff: [H,W,3] uint8, photographs whose scraps are the ground and the surfaces."""
    back = scrap(rng, behind)
    blur = float(rng.uniform(0.8, 9)) if rng.random() < 0.6 else 0.0
    if blur:
        back = np.asarray(cv2.GaussianBlur(back, (0, 0), blur), np.uint8)
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    d = Desk(rng, SIDE, stuff, back, near=bool(rng.random() < 0.25))
    if kind in ("strands", "mesh") and rng.random() < 0.5:
        (_strands if kind == "strands" else _mesh)(d)
    else:
        body = surfaced(d, half_plane(rng))
        hairs = _hairs(d, body, kind) if kind in ("fur", "hair", "tufts") else []
        cut = int(rng.integers(len(hairs) + 1)) if rng.random() < 0.5 else 0
        d.layers += [*hairs[:cut], body, *hairs[cut:]]
        if kind in ("strands", "mesh"):
            (_strands if kind == "strands" else _mesh)(d)
    clutter = _clutter(rng, behind, back) if rng.random() < 0.25 else []
    none = np.zeros((SIDE, SIDE), np.uint8)
    return Scene(back, none, np.full_like(none, 255), d.layers, clutter, float(rng.choice((0.0, 1.0, 3.0, 6.0))),
                 draw_camera(rng), kind=kind)  # fmt: skip


def scrap(rng: np.random.Generator, photo: Bytes) -> Bytes:
    """[SIDE,SIDE,3]: a part of a photograph, reduced up to two and a half times or enlarged up to twice."""
    side = min(int(SIDE * np.exp(rng.uniform(-0.7, 0.9))), *photo.shape[:2])
    y, x = (int(rng.integers(0, s - side + 1)) for s in photo.shape[:2])
    how = cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC
    out = np.asarray(cv2.resize(photo[y : y + side, x : x + side], (SIDE, SIDE), interpolation=how), np.uint8)
    return np.ascontiguousarray(out[:, ::-1]) if rng.random() < 0.5 else out


def half_plane(rng: np.random.Generator) -> Bytes:
    """[SIDE,SIDE] uint8: the cover of a body whose edge runs through the window, straight or in bays."""
    n = SIDE * FINE
    yy, xx = np.mgrid[-1 : 1 : n * 1j, -1 : 1 : n * 1j].astype(np.float32)
    turn, cells = rng.uniform(0, 2 * np.pi), int(rng.integers(3, 8))
    field = cv2.resize(rng.normal(0, 1, (cells, cells)).astype(np.float32), (n, n), interpolation=cv2.INTER_CUBIC)
    level = np.cos(turn) * xx + np.sin(turn) * yy + rng.normal(0, 0.3) + field * rng.uniform(0.02, 0.35)
    fine = np.where(level > 0, 255, 0).astype(np.uint8)
    return np.asarray(cv2.resize(fine, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def surfaced(d: Desk, cover: Bytes) -> Body:
    """A body of this cover: a scrap of a photograph as it is, or drawn toward one colour."""
    if d.rng.random() < 0.4:
        return surface(d.rng, cover, d.photo, d.ink())
    colour = scrap(d.rng, d.photo).astype(np.float32)
    if d.near:
        colour += d.ground.mean((0, 1)) - colour.mean((0, 1)) + d.rng.normal(0, 20, 3)
    return Body(cover, colour.clip(0, 255).astype(np.uint8))


def _hairs(d: Desk, body: Body, kind: str) -> list[Sheer]:
    """One to five layers of hair that leave the body's edge: short as fur, long as hair, or in tufts."""
    rng = d.rng
    n = d.many(60, 1400 if kind != "hair" else 800)
    root, out = contour(body.cover, rng, n)
    if not len(root):
        return []
    if kind == "tufts":
        which = rng.integers(0, min(len(root), int(rng.integers(2, 20))), n)
        root, out = root[which] + rng.normal(0, 5, (n, 2)).astype(np.float32), out[which]
    root = root - np.stack((np.cos(out), np.sin(out)), 1) * rng.uniform(0, 6, (n, 1))
    clump = np.sin(root[:, 0] / rng.uniform(6, 40) + rng.uniform(0, 6)) * np.sin(root[:, 1] / rng.uniform(6, 40))
    angle = out + rng.normal(0, 0.7) + clump * rng.uniform(0, 0.8) + rng.normal(0, rng.uniform(0.05, 0.5), n)
    low, high = (25, 140) if kind == "hair" else (6, 34)
    length = d.many(low, high) * np.exp(rng.normal(0, 0.35, n))
    bend = rng.normal(0, 0.5) + rng.normal(0, 0.35, n)
    points = curves(root.astype(np.float32), angle, length, bend, float(rng.choice((0.0, rng.uniform(0, 0.5)))))
    colour = _shades(d, body, root)
    width = d.widths(n, 0.35, 2.4)
    parts = np.array_split(rng.permutation(n), int(rng.integers(1, 6)))
    return [
        Sheer(strokes(points[p], width[p], 0.4, colour[p], rng, lanes=3, gloss=rng.uniform(0.02, 0.3)),
              float(rng.uniform(0.15, 1)) if rng.random() < 0.7 else 1.0)
        for p in parts
    ]  # fmt: skip


def _shades(d: Desk, body: Body, at: Floats) -> Floats:
    """[n,3], 0..1: the body's colours at points, drawn toward one ink."""
    x, y = at.round().astype(int).clip(0, SIDE - 1).T
    own, share = body.colour[y, x].astype(np.float32) / 255, d.rng.uniform(0.2, 1)
    mixed = (own * share + d.ink() * (1 - share)) * np.exp(d.rng.normal(0, d.rng.uniform(0.03, 0.3), (len(at), 1)))
    return np.asarray(mixed.clip(0, 1), np.float32)


def _strands(d: Desk) -> None:
    """A few long strands across the window, or threads strung through it."""
    rng = d.rng
    if rng.random() < 0.3:
        return threads(d)
    n, lie = int(rng.integers(2, 30)), rng.uniform(0, np.pi)
    angle = lie + rng.normal(0, 0.15, n) if rng.random() < 0.7 else rng.uniform(0, 2 * np.pi, n)
    points = curves(rng.uniform(-20, SIDE + 20, (n, 2)).astype(np.float32), angle,
                    np.exp(rng.uniform(3.4, 6, n)), rng.normal(0, 0.6, n), m=24)  # fmt: skip
    drawn = strokes(points, d.widths(n, 0.5, 4), d.widths(n, 0.5, 2), d.shades(d.ink(), n, 0.1), rng)
    d.layers.append(Sheer(drawn, float(rng.uniform(0.2, 1)) if rng.random() < 0.5 else 1.0))


def _mesh(d: Desk) -> None:
    """A lattice over the whole window, straight or bent, or a part of a net, racket, web, wheel or grille."""
    rng = d.rng
    if rng.random() < 0.4:
        made = (meshes.net, meshes.racket, meshes.web, meshes.wheel, meshes.grille)
        return made[int(rng.integers(len(made)))](d)
    gap, turn = d.many(6, 44), rng.uniform(0, np.pi)
    lean, bow = np.pi / 2 + rng.normal(0, 0.15), rng.normal(0, 6e-4)
    at = np.arange(-0.75 * SIDE, 0.75 * SIDE, gap) + rng.normal(0, 0.3, len(np.arange(-0.75 * SIDE, 0.75 * SIDE, gap)))
    along = np.linspace(-0.75 * SIDE, 0.75 * SIDE, 60)
    ways = []
    for heading in (turn, turn + lean):
        c, s = np.cos(heading), np.sin(heading)
        across = at[:, None] + bow * along**2
        ways.append(SIDE / 2 + np.stack((along * c - across * s, along * s + across * c), -1))
    points = np.concatenate(ways).astype(np.float32)
    width = d.many(5, round(10 * min(4, gap / 3))) / 10
    d.layers.append(strokes(points, width, width, d.shades(d.ink(), len(points), 0.1), rng, lanes=4))


def _clutter(rng: np.random.Generator, photo: Bytes, back: Bytes) -> list[Body | Sheer]:
    """The same kinds of thing that are no subject."""
    d = Desk(rng, SIDE, photo, back, near=bool(rng.random() < 0.5))
    body = surfaced(d, half_plane(rng))
    return [body, *_hairs(d, body, str(rng.choice(("fur", "hair", "tufts"))))]
