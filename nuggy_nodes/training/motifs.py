"""Things with hair: fur along a contour and on the body, whiskers, feelers. And the desk that all motifs work on.

Each takes a Desk and adds layers to it, back to front. Widths are pixels of the network's input; the rest grows with
the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .shapes import Body, Bytes, contour, creature, fill, ribbon, surface
from .strands import Floats, Sheer, Strokes, curves, strokes

Layer = Strokes | Sheer | Body


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
    inward = rng.uniform(0.5, 1 + s * 0.012, n)[:, None]
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
