"""Twelve drawings of things with thin parts: a solid body that a network sees, and strands of 1 to 4 pixels.

The widths are in pixels of the picture whatever its size; the rest grows with the picture. Colours of strands run from
close to the background to far from it. A share of the strands is detached from the body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.thin_canvas import WIDTHS, Canvas, curve, ellipse
from benchmarks.thin_grounds import backgrounds

Scene = Callable[[Canvas, float], None]


def _ink(c: Canvas, contrast: float | None = None) -> np.ndarray:
    """A colour at `contrast` (0..1; None: by chance) from the background's mean, on the side with more room."""
    mean = c.background.mean((0, 1))
    away = (mean < 0.5) * 2.0 - 1
    strength = c.rng.uniform(0.25, 0.8) if contrast is None else contrast
    return (mean + away * strength * (0.6 + 0.8 * c.rng.random(3)) * 0.6).clip(0.02, 0.98).astype(np.float32)


def _width(c: Canvas) -> int:
    return int(c.rng.choice(WIDTHS))


def racket(c: Canvas, s: float) -> None:
    """A strung oval frame with a handle."""
    cx, cy, rx, ry = 560 * s, 350 * s, 230 * s, 290 * s
    for i in range(-9, 10):
        for across in (False, True):
            a, b = (rx, ry) if across else (ry, rx)
            at = i / 10 * b
            half = a * np.sqrt(1 - (at / b) ** 2)
            ends = (
                [[cx - half, cy + at], [cx + half, cy + at]] if across else [[cx + at, cy - half], [cx + at, cy + half]]
            )
            c.stroke(np.array(ends), 1 + (i + 9) // 5, _ink(c, 0.6))
    c.body(ellipse((cx, cy), rx + 22 * s, ry + 22 * s), _ink(c, 0.9), hole=ellipse((cx, cy), rx, ry))
    c.body(np.array([[540, 650], [580, 650], [584, 880], [536, 880]]) * s, _ink(c, 0.8))


def wheel(c: Canvas, s: float) -> None:
    """A tyre with a hub and crossed spokes."""
    centre, r = (600 * s, 450 * s), 350 * s
    ink = _ink(c, 0.55)
    for i in range(36):
        a, b = i * np.pi / 18, i * np.pi / 18 + 0.5 * (-1) ** i
        ends = [
            [centre[0] + 40 * s * np.cos(b), centre[1] + 40 * s * np.sin(b)],
            [centre[0] + r * np.cos(a), centre[1] + r * np.sin(a)],
        ]
        c.stroke(np.array(ends), 1 + i // 9, ink)
    c.body(ellipse(centre, r + 45 * s, r + 45 * s), _ink(c, 0.9), hole=ellipse(centre, r, r))
    c.body(ellipse(centre, 48 * s, 48 * s), _ink(c, 0.8))


def web(c: Canvas, s: float) -> None:
    """An orb web between branches, with its spider."""
    centre = np.array([620 * s, 430 * s])
    angles = np.sort(np.linspace(0, 2 * np.pi, 20, endpoint=False) + c.rng.normal(0, 0.05, 20))
    ink = _ink(c, 0.6)
    spokes = np.stack((np.cos(angles), np.sin(angles)), 1)
    for i, d in enumerate(spokes):
        c.stroke(np.stack((centre, centre + d * 400 * s)), 1 + i % 2, ink)
    for ring in range(14):
        r = (70 + 22 * ring) * s
        pts = centre + np.concatenate((spokes, spokes[:1])) * r
        c.stroke(pts, 1 if ring % 3 else 2, ink)
    dark = _ink(c, 0.9)
    for i in range(8):
        side = -1 if i < 4 else 1
        row = i % 4 - 1.5
        hip, turn = centre + np.array([side * 30, row * 20]) * s, (0 if side > 0 else np.pi) + row * 0.5
        c.stroke(curve(hip, turn, 130 * s, side * 0.9), 3 + i % 2, dark)
    c.body(ellipse((centre[0], centre[1] + 40 * s), 60 * s, 78 * s), dark)
    c.body(ellipse((centre[0], centre[1] - 45 * s), 38 * s, 34 * s), dark)


def fur(c: Canvas, s: float) -> None:
    """A round furry animal: a body whose whole edge is hair, with ears, and loose hairs."""
    centre, r = np.array([600 * s, 500 * s]), 270 * s
    base = _ink(c, 0.7)
    for _ in range(900):
        a = c.rng.uniform(0, 2 * np.pi)
        root = centre + np.array([np.cos(a), np.sin(a)]) * (r - 6 * s)
        colour = (base * c.rng.uniform(0.75, 1.25)).clip(0, 1)
        c.stroke(
            curve(root, a + c.rng.normal(0, 0.3), c.rng.uniform(30, 85) * s, c.rng.normal(0, 0.5)),
            _width(c),
            colour,
            tip=0.7,
        )
    for i in range(14):  # loose
        a = c.rng.uniform(0, 2 * np.pi)
        root = centre + np.array([np.cos(a), np.sin(a)]) * (r + c.rng.uniform(95, 130) * s)
        c.stroke(curve(root, c.rng.uniform(0, 6.3), c.rng.uniform(40, 110) * s, c.rng.normal(0, 1)), 1 + i % 3, base)
    c.body(ellipse((430 * s, 260 * s), 70 * s, 100 * s, turn=-0.5), base)
    c.body(ellipse((770 * s, 260 * s), 70 * s, 100 * s, turn=0.5), base)
    c.body(ellipse(tuple(centre), r, r), base)
    for x in (-90, 90):
        c.body(ellipse((centre[0] + x * s, centre[1] - 60 * s), 28 * s, 32 * s), base * 0.15)
        for j in range(5):
            c.stroke(
                curve(
                    centre + np.array([np.sign(x) * 255, 70]) * s,
                    (0 if x > 0 else np.pi) + (j - 2) * 0.16,
                    190 * s,
                    0.15 * (j - 2),
                ),
                1 + j % 3,
                _ink(c, 0.8),
                tip=0.8,
            )


def hair(c: Canvas, s: float) -> None:
    """A head and shoulders with long hair that blows to one side."""
    base = _ink(c, 0.75)
    head = np.array([500 * s, 380 * s])
    skin = np.array([0.83, 0.63, 0.52], np.float32)
    c.body(ellipse((520 * s, 930 * s), 330 * s, 300 * s), _ink(c, 0.5))
    for i in range(420):
        a = c.rng.uniform(-2.6, 0.6)
        root = head + np.array([np.cos(a) * 170, np.sin(a) * 210]) * s
        length = c.rng.uniform(150, 520) * s
        c.stroke(
            curve(root, c.rng.normal(0.1, 0.35), length, c.rng.normal(0.5, 0.5), 24),
            _width(c) if i % 3 else 1,
            base * c.rng.uniform(0.8, 1.2),
            tip=1.0,
        )
    for i in range(16):
        c.stroke(
            curve(
                np.array([c.rng.uniform(250, 1100), c.rng.uniform(60, 300)]) * s,
                c.rng.uniform(-0.6, 0.6),
                150 * s,
                c.rng.normal(0, 1),
            ),
            1 + i % 2,
            base,
        )
    c.body(np.array([[430, 520], [560, 520], [600, 720], [400, 720]]) * s, skin * 0.9)
    c.body(ellipse(tuple(head), 180 * s, 220 * s), base)
    c.body(ellipse((head[0] - 20 * s, head[1] + 40 * s), 135 * s, 185 * s), skin)


def net(c: Canvas, s: float) -> None:
    """A landing net: a hoop on a pole, its bag a mesh of diamonds."""
    ink = _ink(c, 0.5)
    for k in range(-14, 15):
        for lean in (-1, 1):
            y = np.linspace(0, 1, 24)
            half = 300 * s * np.sqrt((1 - y**2).clip(0))
            x = (k / 14 + lean * y * 0.8).clip(-1, 1)
            ok = np.abs(k / 14 + lean * y * 0.8) <= 1
            if ok.sum() > 1:
                pts = np.stack((620 * s + x[ok] * half[ok], 250 * s + y[ok] * 560 * s), 1)
                c.stroke(pts, 1 + (k + 14) // 8, ink)
    centre = (620 * s, 250 * s)
    c.body(ellipse(centre, 325 * s, 95 * s), _ink(c, 0.9), hole=ellipse(centre, 298 * s, 70 * s))
    c.body(np.array([[300 * s, 240 * s], [300 * s, 275 * s], [10 * s, 420 * s], [10 * s, 375 * s]]), _ink(c, 0.8))


def harp(c: Canvas, s: float) -> None:
    """A frame with strings of rising width."""
    for i in range(28):
        x = (330 + 20 * i) * s
        c.stroke(np.array([[x, 175 * s], [x, (800 - 16 * i) * s]]), 1 + i // 7, _ink(c))
    outer = np.array([[250, 90], [420, 60], [620, 120], [960, 140], [980, 220], [900, 420], [330, 880], [250, 880]]) * s
    inner = np.array([[310, 150], [420, 135], [620, 190], [905, 215], [840, 380], [330, 810], [310, 810]]) * s
    c.body(outer, np.array([0.45, 0.27, 0.12], np.float32), hole=inner)


def kite(c: Canvas, s: float) -> None:
    """A kite with a bridle, a tail and long lines, one of them broken."""
    c.body(np.array([[640, 60], [860, 300], [640, 620], [420, 300]]) * s, _ink(c, 0.9))
    for i, (x, y) in enumerate(((640, 60), (860, 300), (420, 300), (640, 620))):
        c.stroke(np.array([[x, y], [300, 860]]) * s, 1 + i, _ink(c, 0.5))
    for i in range(6):
        c.stroke(
            curve(np.array([640, 620]) * s, 1.2 + 0.15 * i, 330 * s, c.rng.normal(0, 1.2), 20), 1 + i % 4, _ink(c, 0.6)
        )
    for i in range(8):
        c.stroke(curve(np.array([80 + 130 * i, 700 - 60 * (i % 3)]) * s, -0.5, 120 * s, 0.6), 1 + i % 3, _ink(c, 0.6))


def insect(c: Canvas, s: float) -> None:
    """A beetle with legs, feelers and bristles."""
    dark = _ink(c, 0.85)
    for i in range(6):
        side, row = (-1, 1)[i % 2], i // 2
        knee = np.array([600 + side * 300, 330 + 150 * row]) * s
        c.stroke(
            np.array([[600 * s + side * 150 * s, (400 + 90 * row) * s], knee, knee + np.array([side * 110, 170]) * s]),
            4 - row % 2,
            dark,
        )
        for j in range(18):
            c.stroke(
                curve(
                    knee + np.array([side * 110, 170]) * (j / 18) * s,
                    side * 0.3 + (0 if side > 0 else np.pi),
                    26 * s,
                    0.4,
                ),
                1 + j % 2,
                dark,
            )
    for side in (-1, 1):
        c.stroke(curve(np.array([600 + side * 40, 230]) * s, -np.pi / 2 + side * 0.5, 330 * s, side * 1.5, 24), 2, dark)
        c.stroke(curve(np.array([600 + side * 25, 225]) * s, -np.pi / 2 + side * 0.2, 200 * s, side * 0.8, 24), 1, dark)
    c.body(ellipse((600 * s, 270 * s), 85 * s, 70 * s), dark)
    c.body(ellipse((600 * s, 520 * s), 170 * s, 240 * s), dark * 0.9)


def dandelion(c: Canvas, s: float) -> None:
    """A seed head: a core, parachutes on stalks, some that fly off."""
    centre, ink = np.array([560 * s, 380 * s]), _ink(c, 0.7)
    seeds = [(a, 190 * s * f, centre) for a, f in zip(c.rng.uniform(0, 6.3, 70), c.rng.uniform(0.7, 1, 70))]
    seeds += [(c.rng.uniform(-0.8, 0.8), 60 * s, np.array([880 + 60 * i, 150 + 110 * i]) * s) for i in range(5)]
    for i, (a, length, root) in enumerate(seeds):
        top = root + np.array([np.cos(a), np.sin(a)]) * length
        c.stroke(np.stack((root, top)), 1 + i % 2, ink)
        for b in np.linspace(-1, 1, 9):
            c.stroke(np.stack((top, top + np.array([np.cos(a + b), np.sin(a + b)]) * 62 * s)), 1, ink)
    c.body(
        np.array([[548 * s, 400 * s], [575 * s, 400 * s], [600 * s, 895 * s], [566 * s, 895 * s]]),
        np.array([0.35, 0.5, 0.2], np.float32),
    )
    c.body(ellipse(tuple(centre), 60 * s, 60 * s), np.array([0.4, 0.3, 0.2], np.float32))


def broom(c: Canvas, s: float) -> None:
    """A besom: a handle, a binding, bristles that spread."""
    ink = np.array([0.62, 0.47, 0.22], np.float32)
    for _ in range(170):
        u = c.rng.uniform(-1, 1)
        c.stroke(
            curve(
                np.array([600 + 70 * u, 430]) * s,
                np.pi / 2 - 0.55 * u + c.rng.normal(0, 0.06),
                c.rng.uniform(300, 430) * s,
                -0.25 * u,
            ),
            _width(c),
            ink * c.rng.uniform(0.6, 1.3),
            tip=1.0,
        )
    c.body(np.array([[578, 10], [622, 10], [628, 330], [572, 330]]) * s, _ink(c, 0.8))
    c.body(np.array([[560, 310], [640, 310], [690, 480], [510, 480]]) * s, _ink(c, 0.9))


def cage(c: Canvas, s: float) -> None:
    """A bird in a cage of thin bars."""
    c.body(ellipse((600 * s, 500 * s), 130 * s, 190 * s, turn=0.3), np.array([0.85, 0.55, 0.15], np.float32))
    c.body(ellipse((650 * s, 300 * s), 85 * s, 80 * s), np.array([0.85, 0.45, 0.12], np.float32))
    ink = _ink(c, 0.7)
    for i in range(21):
        x = (300 + 30 * i) * s
        top = 230 * s - 140 * s * np.sqrt(max(1 - ((i - 10) / 10) ** 2, 0))
        c.stroke(np.array([[x, top], [x, 800 * s]]), 1 + i % 4, ink)
    for y in (300, 550):
        c.stroke(np.array([[300, y], [900, y]]) * s, 3, ink)
    c.body(np.array([[280, 790], [920, 790], [920, 850], [280, 850]]) * s, _ink(c, 0.9))
    c.body(ellipse((600 * s, 75 * s), 36 * s, 30 * s), _ink(c, 0.9))


SCENES: tuple[Scene, ...] = (racket, wheel, web, fur, hair, net, harp, kite, insect, dandelion, broom, cage)


def draw(scale: float = 1.0, folder: Path | None = None, seed: int = 20) -> Iterator[tuple[str, Canvas]]:
    """The twelve pictures, 1200x900 pixels times `scale`, always the same for the same seed and folder."""
    height, width = round(900 * scale), round(1200 * scale)
    ground = backgrounds(folder, height, width, np.random.default_rng(seed))
    for i, scene in enumerate(SCENES):
        canvas = Canvas(next(ground), np.random.default_rng((seed, i)))
        scene(canvas, scale)
        canvas.grain()
        yield scene.__name__, canvas
