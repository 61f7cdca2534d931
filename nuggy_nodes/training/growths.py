"""Things that hang, grow and are strung: fringes, twigs, grass and grain, wires."""

from __future__ import annotations

import itertools

import numpy as np

from .motifs import Desk
from .shapes import Bytes, fill, surface
from .strands import Floats, curves, lines, strokes


def fringe(d: Desk) -> None:
    """A band with threads, hair or bristles that hang from it: rugs, brushes, manes, lashes."""
    rng, s = d.rng, d.size
    n, ink = d.many(40, 700), d.ink()
    tilt, middle = rng.normal(0, 0.25), rng.uniform(0.25, 0.55) * s
    half = rng.uniform(0.15, 0.6) * s
    c = np.array([rng.uniform(0.3, 0.7) * s, middle])
    along = np.array([np.cos(tilt), np.sin(tilt)])
    rail = c + np.linspace(-half, half, 30)[:, None] * along
    rail[:, 1] += np.sin(np.linspace(0, 3, 30) + rng.uniform(0, 6)) * s * rng.uniform(0, 0.06)
    at = np.sort(rng.random(n)) if rng.random() < 0.5 else np.linspace(0, 1, n)
    root = np.stack([np.interp(at, np.linspace(0, 1, 30), rail[:, i]) for i in (0, 1)], 1)
    tufts = np.floor(at * d.many(4, 60))
    lean = rng.normal(0, 0.25, int(tufts.max()) + 1)[tufts.astype(int)] * rng.choice((0, 1))
    angle = tilt + np.pi / 2 + (at - 0.5) * rng.uniform(-0.4, 1.6) + lean + rng.normal(0, rng.uniform(0.01, 0.2), n)
    length = s * d.many(60, 450) / 1000 * np.exp(rng.normal(0, rng.uniform(0.02, 0.35), n))
    pts = curves(root.astype(np.float32), angle, length, rng.normal(0, 0.4) + rng.normal(0, 0.3, n),
                 rng.uniform(0, 0.3, n) * rng.choice((0, 1)), m=30)  # fmt: skip
    d.layers.append(strokes(pts, d.widths(n), rng.uniform(0.4, 1.5), d.shades(ink, n), rng, lanes=8))
    d.band(rail.astype(np.float32), rng.uniform(0.02, 0.12) * s, d.ink() if rng.random() < 0.5 else ink)


def foliage(d: Desk) -> None:
    """Twigs that fork, with needles or small leaves; from the frame or from a pot."""
    rng, s = d.rng, d.size
    wood, leaf = d.ink(), (d.ink() + np.array([0.0, rng.uniform(0, 0.25), 0.0])).clip(0, 1)
    tips: Floats = np.empty((0, 2), np.float32)
    start = np.array([[rng.uniform(0.2, 0.8), rng.uniform(0.9, 1.05)]], np.float32) * s
    angle = np.array([-np.pi / 2 + rng.normal(0, 0.3)])
    length, width = s * rng.uniform(0.2, 0.4), rng.uniform(3, 14)
    needles = rng.random() < 0.5
    for _ in range(int(rng.integers(4, 7))):
        n = len(start)
        pts = curves(start, angle, length * np.exp(rng.normal(0, 0.2, n)), rng.normal(0, 0.5, n), m=24)
        if width > 5:
            for p in pts:
                d.band(p, np.linspace(width, width * 0.7, len(p)), wood)
        else:
            d.layers.append(strokes(pts, width, width * 0.6, d.shades(wood, n, 0.1), rng))
        forks = rng.integers(2, 4, n)
        branch = np.repeat(np.arange(n), forks)
        at = rng.integers(8, 24, len(branch))
        start = pts[branch, at]
        before = pts[branch, at - 1]
        heading = np.arctan2(*(start - before).T[::-1])
        angle = heading + rng.choice((-1, 1), len(branch)) * rng.uniform(0.2, 0.9, len(branch))
        tips = np.concatenate((tips, pts[:, 8:].reshape(-1, 2)))
        length, width = length * rng.uniform(0.55, 0.8), width * rng.uniform(0.5, 0.65)
        if len(start) > 220:
            break
    n = d.many(60, 900)
    root = tips[rng.integers(len(tips) // 3, len(tips), n)]
    if needles:
        pts = curves(root, rng.uniform(0, 6.3, n), s * rng.uniform(0.01, 0.05, n), rng.normal(0, 0.3, n), m=6)
        d.layers.append(strokes(pts, d.widths(n, 0.5, 2.5), 0.4, d.shades(leaf, n), rng))
    else:
        size, turn = s * rng.uniform(0.008, 0.03), rng.uniform(0, 6.3, n)
        t = np.linspace(0, 2 * np.pi, 20)
        one = np.stack((np.cos(t), np.sin(t) * rng.uniform(0.25, 0.6)), 1) * size
        c, q = np.cos(turn), np.sin(turn)
        every = one @ np.stack((np.stack((c, q), -1), np.stack((-q, c), -1)), 1) + root[:, None]
        every = np.asarray(every, np.float32)
        for part in np.array_split(every, 3):  # three tints of leaf, painted over one another
            cover = np.zeros((s, s), np.uint8)
            for outline in part[:120]:
                fill_into(cover, outline)
            d.layers.append(surface(rng, cover, d.photo, np.asarray(d.shades(leaf, 1)[0], np.float32)))


def fill_into(cover: Bytes, outline: Floats) -> None:
    """One small polygon into `cover`, in place; the larger coverage counts."""
    corner = np.floor(outline.min(0) - 1).astype(int)
    side = int(np.ceil((outline.max(0) - corner).max())) + 2
    small = fill(side, [outline - corner.astype(np.float32)])
    x0, y0 = corner.clip(0)
    x1, y1 = (corner + side).clip(0, cover.shape[0])
    if x1 > x0 and y1 > y0:
        part = cover[y0:y1, x0:x1]
        np.maximum(part, small[y0 - corner[1] : y1 - corner[1], x0 - corner[0] : x1 - corner[0]], out=part)


def grass(d: Desk) -> None:
    """A tuft of blades, reeds or grain before whatever lies behind, perhaps in a pot or hand-sized clump."""
    rng, s = d.rng, d.size
    n, ink = d.many(40, 500), (d.ink() + np.array([0.0, 0.08, 0.0])).clip(0, 1)
    foot = np.array([rng.uniform(0.3, 0.7), rng.uniform(0.75, 1.0)]) * s
    root = (foot + rng.normal(0, 1, (n, 2)) * s * np.array([rng.uniform(0.02, 0.12), 0.01])).astype(np.float32)
    angle = -np.pi / 2 + (root[:, 0] - foot[0]) / s * rng.uniform(1, 6) + rng.normal(0, 0.2, n)
    length = s * rng.uniform(0.2, 0.65) * np.exp(rng.normal(0, 0.3, n))
    pts = curves(root, angle, length, rng.normal(0, 0.8, n), m=30)
    d.layers.append(strokes(pts, d.widths(n, 0.8, 5), 0.4, d.shades(ink, n), rng, lanes=8))
    if rng.random() < 0.5:  # ears of grain, awns
        k, tops = d.many(10, 40), pts[:, -1]
        pick = np.repeat(rng.integers(0, n, k), 12)
        awns = curves(tops[pick] + rng.normal(0, s * 0.006, (12 * k, 2)).astype(np.float32),
                      angle[pick] + rng.normal(0, 0.35, 12 * k), np.full(12 * k, s * rng.uniform(0.02, 0.06)),
                      rng.normal(0, 0.4, 12 * k), m=8)  # fmt: skip
        d.layers.append(strokes(awns, d.widths(12 * k, 0.5, 1.6), 0.3, d.shades(ink, 12 * k), rng))
    if rng.random() < 0.6:
        w = rng.uniform(0.1, 0.25) * s
        pot = np.array([[-w, 0], [w, 0], [w * 0.7, w * 1.6], [-w * 0.7, w * 1.6]]) + foot
        d.layers.append(surface(rng, fill(s, [pot.astype(np.float32)]), d.photo, d.ink()))


def threads(d: Desk) -> None:
    """Wires, ropes and lines between two or three things: poles, hands, kites, pegs."""
    rng, s = d.rng, d.size
    count = int(rng.integers(2, 4))
    stands = (np.linspace(rng.uniform(0.05, 0.3), rng.uniform(0.65, 0.95), count) + rng.normal(0, 0.03, count)) * s
    top = rng.uniform(0.12, 0.5) * s
    ink, n = d.ink(), d.many(3, 16)
    start = np.stack((np.full(n, stands[0]), top + np.linspace(0, rng.uniform(0.05, 0.35) * s, n)), 1)
    for left, right in itertools.pairwise(stands):
        end = start + np.array([right - left, rng.normal(0, 0.04) * s])
        sag = rng.uniform(0, 0.12) * s * np.exp(rng.normal(0, 0.2, n))
        pts = lines(start.astype(np.float32), end.astype(np.float32), sag, 60)
        w = d.widths(n, 0.6, 4)
        d.layers.append(strokes(pts, w, w, d.shades(ink, n, 0.1), rng, gloss=0.1))
        start = end
    for x in stands:
        pole = np.array([[x, top - rng.uniform(0, 0.1) * s], [x + rng.normal(0, 0.02) * s, s * rng.uniform(0.7, 1.1)]])
        d.band(np.asarray(np.linspace(pole[0], pole[1], 12), np.float32), rng.uniform(0.012, 0.06) * s, d.ink())
