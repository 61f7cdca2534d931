"""Things with hair: fur along a contour, whiskers, fringes, and what grows: twigs, grass, feathers of grain.

Each takes a Desk and adds layers to it, back to front. Widths are pixels of the network's input; the rest grows with
the picture.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np

from .shapes import Body, Bytes, contour, creature, fill, ribbon, surface
from .strands import Floats, Strokes, curves, lines, strokes

Layer = Strokes | Body


@dataclass
class Desk:
    """Where a scene is put together. size: side in pixels. photo: [H,W,3] uint8, a scrap for surfaces. ground:
    [size,size,3] uint8, what lies behind. layers: the result so far, back to front. near: the colours stay close to
    the ground's."""

    rng: np.random.Generator
    size: int
    photo: Bytes
    ground: Bytes
    near: bool = False
    layers: list[Layer] = field(default_factory=list)

    def ink(self, near: bool | None = None) -> Floats:
        """[3], 0..1: a colour; close to the ground's mean, or anything that things have."""
        mean = self.ground[:: max(self.size // 64, 1), :: max(self.size // 64, 1)].reshape(-1, 3).mean(0) / 255
        if self.near if near is None else near:
            away = self.rng.normal(0, 1, 3) * 0.3 + self.rng.choice((-1.0, 1.0))
            return np.asarray((mean + away * self.rng.uniform(0.08, 0.18)).clip(0.02, 0.98), np.float32)
        grey = self.rng.choice((self.rng.uniform(0.03, 0.25), self.rng.uniform(0.2, 0.8), self.rng.uniform(0.75, 0.98)))
        return np.asarray((grey + self.rng.normal(0, 0.12, 3) * (1 - abs(2 * grey - 1))).clip(0.02, 0.98), np.float32)

    def widths(self, n: int, low: float = 0.5, high: float = 4.0) -> Floats:
        """[n] pixels: one width with a little spread, or all widths; thin ones more often."""
        top = low * (high / low) ** self.rng.random()
        spread = self.rng.uniform(0.05, 0.6)
        return np.asarray((top * np.exp(self.rng.normal(0, spread, n))).clip(low, high), np.float32)

    def many(self, low: float, high: float) -> int:
        """A number between the two, each order of magnitude as likely."""
        return round(low * (high / low) ** self.rng.random())

    def shades(self, ink: Floats, n: int, spread: float = 0.2) -> Floats:
        """[n,3]: `ink`, lighter and darker."""
        return np.asarray((ink * np.exp(self.rng.normal(0, spread, (n, 1)))).clip(0, 1), np.float32)

    def band(self, points: Floats, widths: Floats | float, ink: Floats) -> None:
        """A solid band along `points`, drawn at once."""
        self.layers.append(surface(self.rng, fill(self.size, [ribbon(points, widths)]), self.photo, ink))


def hair_on(d: Desk, cover: Bytes, colours: Bytes, amount: float = 1.0) -> None:
    """Fur on the contour of `cover` in the colours found there: clumps, all of one lie, some astray."""
    rng, s = d.rng, d.size
    n = round(d.many(300, 2600) * amount * s / 1024) + 8
    root, out = contour(cover, rng, n)
    if not len(root):
        return
    inward = rng.uniform(1, s * 0.012, n)[:, None]
    root = root - np.stack((np.cos(out), np.sin(out)), 1) * inward
    x, y = root.round().astype(int).clip(0, s - 1).T
    ink = colours[y, x].astype(np.float32) / 255
    lie, gravity = rng.normal(0, 0.8), rng.uniform(0, 0.8)
    clump = np.sin(root[:, 0] * 40 / s + rng.uniform(0, 6)) * np.sin(root[:, 1] * 40 / s + rng.uniform(0, 6))
    angle = out + lie + clump * rng.uniform(0, 0.6) + rng.normal(0, rng.uniform(0.08, 0.4), n)
    length = s * d.many(8, 110) / 1000 * np.exp(rng.normal(0, 0.4, n))
    toward_down = np.sin(np.pi / 2 - angle)  # positive where turning right brings the strand down
    bend = gravity * toward_down + rng.normal(0, 0.4, n) + rng.normal(0, 0.5)
    shades = (ink * np.exp(rng.normal(0.05, 0.22, (n, 1)))).clip(0, 1)
    pts = curves(root, angle, length, bend, rng.choice((0.0, rng.uniform(0, 0.5))) * np.ones(n))
    d.layers.append(strokes(pts, d.widths(n), 0.4, shades, rng, gloss=rng.uniform(0.05, 0.35)))


def coat_on(d: Desk, cover: Bytes, colours: Bytes) -> None:
    """Hair that lies on the body itself, so that its surface is of the same stuff as its edge."""
    inside = np.argwhere(cover > 250)
    if not len(inside):
        return
    rng, n = d.rng, d.many(300, 1500) * d.size // 1024 + 8
    at = inside[rng.integers(0, len(inside), n)]
    at = at[np.argsort(at[:, 0])]
    ink = colours[at[:, 0], at[:, 1]].astype(np.float32) / 255
    ink = (ink * np.exp(rng.normal(0.05, 0.25, (n, 1)))).clip(0, 1)
    root = at[:, ::-1].astype(np.float32)
    lie = rng.uniform(0, 6.3) + np.sin(root[:, 0] * 9 / d.size) + np.cos(root[:, 1] * 7 / d.size)
    length = d.size * rng.uniform(0.008, 0.04) * np.exp(rng.normal(0, 0.3, n))
    pts = curves(root, lie + rng.normal(0, 0.25, n), length, rng.normal(0, 0.4, n), m=6)
    hairs = strokes(pts, d.widths(n, 0.8, 3), 0.4, ink, rng, gloss=0.3)
    reach = cover[tuple(hairs.b.round().astype(int).clip(0, d.size - 1).T[::-1])]
    d.layers.append(hairs.only(reach > 250))  # none leaves the body, whose edge has hair of its own


def whiskers_on(d: Desk, cover: Bytes, colours: Bytes) -> None:
    """A few long hairs, feelers or threads that leave the contour in a tuft or two."""
    rng, s = d.rng, d.size
    for _ in range(int(rng.integers(1, 4))):
        at, out = contour(cover, rng, 1)
        if not len(at):
            return
        n = int(rng.integers(2, 14))
        root = at + rng.normal(0, s * 0.012, (n, 2)).astype(np.float32)
        angle = out + np.linspace(-1, 1, n) * rng.uniform(0.1, 0.8) + rng.normal(0, 0.05, n)
        x, y = at[0].round().astype(int).clip(0, s - 1)
        own = colours[y, x].astype(np.float32) / 255
        ink = d.shades(own if rng.random() < 0.5 else d.ink(), n, 0.1)
        length = s * rng.uniform(0.08, 0.4) * np.exp(rng.normal(0, 0.2, n))
        pts = curves(root, angle, length, rng.normal(0, 0.5) + rng.normal(0, 0.15, n), m=40)
        d.layers.append(strokes(pts, d.widths(n, 0.7, 3.5), 0.5, ink, rng, gloss=0.1))


def furry(d: Desk) -> None:
    """An animal or a plush thing: a body, fur all along it, perhaps whiskers."""
    cover = creature(d.rng, d.size)
    body = surface(d.rng, cover, d.photo, d.ink())
    if d.rng.random() < 0.5:
        hair_on(d, cover, body.colour, 0.6)  # behind it
    d.layers.append(body)
    if d.rng.random() < 0.7:
        coat_on(d, cover, body.colour)
    hair_on(d, cover, body.colour)
    if d.rng.random() < 0.5:
        whiskers_on(d, cover, body.colour)


def feelers(d: Desk) -> None:
    """A smooth body with jointed legs, feelers and bristles."""
    rng, s = d.rng, d.size
    cover = creature(rng, s)
    body = surface(rng, cover, d.photo, d.ink())
    n = int(rng.integers(4, 14))
    root, out = contour(cover, rng, n)
    if len(root):
        knee = curves(root, out + rng.normal(0, 0.3, n), np.full(n, s * rng.uniform(0.06, 0.2)), rng.normal(0, 0.3, n))
        turn = rng.normal(0, 1.0) + rng.normal(0, 0.4, n)
        foot = curves(knee[:, -1], out + turn, np.full(n, s * rng.uniform(0.08, 0.25)), rng.normal(0, 0.3, n))
        legs = np.concatenate((knee, foot[:, 1:]), 1)
        ink = d.shades(d.ink() if rng.random() < 0.3 else body.colour[cover > 127].mean(0) / 255, n, 0.1)
        d.layers.append(strokes(legs, d.widths(n, 1.2, 5), 0.8, ink, rng))
        flat, k = legs.reshape(-1, 2), d.many(10, 150)
        bristles = curves(flat[rng.integers(0, len(flat), k)], rng.uniform(0, 6.3, k).astype(np.float32),
                          np.full(k, s * rng.uniform(0.008, 0.03)), np.zeros(k), m=5)  # fmt: skip
        d.layers.append(strokes(bristles, d.widths(k, 0.4, 1.4), 0.3, ink[0], rng))
    d.layers.append(body)
    whiskers_on(d, cover, body.colour)


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
