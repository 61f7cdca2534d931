"""Things that one looks through: rackets, nets, webs, wheels, grilles."""

from __future__ import annotations

import itertools

import numpy as np

from .motifs import Desk, hair_on
from .shapes import blob, contour, creature, fill, oval, ribbon, surface
from .strands import Floats, Warp, curves, strokes


def _middle(d: Desk, spread: float = 0.12) -> Floats:
    return np.asarray(d.size * (0.5 + d.rng.normal(0, spread, 2).clip(-0.3, 0.3)), np.float32)


def _inside(points: Floats, outline: Floats) -> np.ndarray:
    """[n,m] bool: within a star-shaped outline [k,2] about the origin."""
    t = np.arctan2(outline[:, 1], outline[:, 0])
    order = np.argsort(t)
    reach = np.interp(
        np.arctan2(points[..., 1], points[..., 0]), t[order], np.hypot(*outline[order].T), period=2 * np.pi
    )
    return np.asarray(np.hypot(points[..., 0], points[..., 1]) <= reach)


def _lattice(d: Desk, cells: int, kind: str) -> Floats:
    """[n,m,2] in the plane: straight lines two ways (square, diamond), zigzags (hexagons), rings and rays apart."""
    rng, m = d.rng, max(160, 8 * cells)
    t = np.linspace(-1.3, 1.3, m)
    at = np.linspace(-1.3, 1.3, cells + 1) + rng.normal(0, 0.15 / cells, cells + 1) * rng.choice((0, 1))
    if kind == "hexagon":  # neighbouring zigzags run together for a while: chicken wire, knotted nets
        step = 2.6 / cells
        zig = (2 * np.abs((t / step) % 2 - 1) - 1).clip(-0.5, 0.5) * step
        x = np.linspace(-1.3, 1.3, cells + 1)[:, None] + zig * np.where(np.arange(cells + 1) % 2, 1, -1)[:, None]
        return np.asarray(np.stack((x, np.broadcast_to(t, x.shape)), -1), np.float32)
    lean = np.tan(rng.uniform(0.3, 0.7)) if kind == "diamond" else 0.0
    wide = at if kind == "square" else np.linspace(-2.2, 2.2, round(cells * 1.7) + 1)
    x1 = wide[:, None] + lean * t
    x2 = wide[:, None] - lean * t if lean else np.broadcast_to(t, (len(at), m))
    y = np.broadcast_to(t, x1.shape)
    y2 = y if lean else np.broadcast_to(at[:, None], x2.shape)
    return np.asarray(np.concatenate((np.stack((x1, y), -1), np.stack((x2, y2), -1))), np.float32)


def mesh(d: Desk, warp: Warp, outline: Floats, cells: int, kind: str, ink: Floats) -> None:
    """Lattice lines within an outline; what is outside is cut away, runs that remain become strands."""
    points = _lattice(d, cells, kind)
    keep = _inside(points, outline)
    runs: list[Floats] = []
    for line, ok in zip(points, keep, strict=True):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], ok.astype(int), [0]))))
        for a, b in edges.reshape(-1, 2):
            if b - a > 2:
                t, every = np.linspace(a, b - 1, len(line)), np.arange(len(line))
                runs.append(np.stack([np.interp(t, every, line[:, i]) for i in (0, 1)], 1).astype(np.float32))
    if not runs:
        return
    pts = warp(np.stack(runs))
    n = len(runs)
    w = d.widths(1)[0] * np.exp(d.rng.normal(0, d.rng.uniform(0, 0.25), n))
    d.layers.append(strokes(pts, w, w, d.shades(ink, n, d.rng.uniform(0, 0.2)), d.rng, lanes=4))


def _ring(d: Desk, warp: Warp, outline: Floats, thick: float, ink: Floats) -> None:
    cover = fill(d.size, [warp(outline * (1 + thick)), warp(outline)])
    d.layers.append(surface(d.rng, cover, d.photo, ink))


def racket(d: Desk) -> None:
    """A strung or woven frame with a handle: rackets, sieves, drums, dream catchers, snow-shoes, fly swats."""
    rng = d.rng
    radius = rng.uniform(0.16, 0.38) * d.size
    warp = Warp(rng, _middle(d), radius)
    outline = oval(power=rng.uniform(1.8, 3.2))
    if rng.random() < 0.6:
        end = np.stack((np.zeros(12), np.linspace(1.02, rng.uniform(1.8, 3.0), 12)), 1)
        handle = ribbon(np.asarray(end, np.float32), np.full(12, rng.uniform(0.1, 0.25)))
        d.layers.append(surface(rng, fill(d.size, [warp(handle)]), d.photo, d.ink()))
    mesh(d, warp, outline, d.many(8, 44), str(rng.choice(("square", "square", "diamond", "hexagon"))), d.ink())
    _ring(d, warp, outline, rng.uniform(0.04, 0.16), d.ink())


def net(d: Desk) -> None:
    """A hanging or spread net, fence or lace; sometimes with something solid behind it or caught in it."""
    rng = d.rng
    warp = Warp(rng, _middle(d), rng.uniform(0.3, 0.6) * d.size, 1.4)
    outline = blob(rng, rough=0.2) if rng.random() < 0.5 else oval(power=rng.uniform(3, 8))
    if rng.random() < 0.4:
        cover = creature(rng, d.size)
        d.layers.append(surface(rng, cover, d.photo, d.ink()))
    mesh(d, warp, outline, d.many(8, 50), str(rng.choice(("square", "diamond", "diamond", "hexagon"))), d.ink())
    ink = d.ink()
    if rng.random() < 0.7:
        _ring(d, warp, outline, rng.uniform(0.015, 0.07), ink)
    else:
        rope = warp(np.concatenate((outline, outline[:1])))[None]
        d.layers.append(strokes(rope, rng.uniform(1.5, 5), rng.uniform(1.5, 5), ink, rng))


def web(d: Desk) -> None:
    """An orb web hung between twigs: rays, threads that sag between them, gaps; dew or the spider at times."""
    rng, s = d.rng, d.size
    centre = _middle(d)
    warp = Warp(rng, centre, rng.uniform(0.2, 0.45) * s, 0.8)
    n = int(rng.integers(12, 42))
    angle = np.sort(np.linspace(0, 2 * np.pi, n, endpoint=False) + rng.normal(0, 1.2 / n, n))
    rays = np.stack((np.cos(angle), np.sin(angle)), 1)
    reach = 1 + rng.normal(0, 0.12, n)
    ink, w = d.ink(), float(rng.uniform(0.5, 2.2))
    for _ in range(int(rng.integers(0, 3))):
        a = rng.uniform(0, 2 * np.pi)
        edge = centre + np.array([np.cos(a), np.sin(a)]) * s * rng.uniform(0.28, 0.42)
        twig = curves(edge[None].astype(np.float32), np.array([a + rng.choice((-1.4, 1.4))]), np.array([s * 0.5]),
                      rng.normal(0, 0.4, 1), m=30)[0]  # fmt: skip
        d.band(twig, np.linspace(rng.uniform(0.01, 0.05) * s, 2, 30), d.ink())
    t = np.linspace(0.03, 1, 60)[:, None]
    anchored = np.where(rng.random(n) < 0.3, rng.uniform(1.2, 2.2, n), reach)
    d.layers.append(strokes(warp(rays[:, None] * t * anchored[:, None, None]), w * 1.2, w, ink, rng, gloss=0.4))
    turns = int(rng.integers(6, 34))
    radius = np.linspace(rng.uniform(0.08, 0.25), 0.97, turns)
    i, ring = (x.ravel() for x in np.meshgrid(np.arange(n), np.arange(turns), indexing="ij"))
    kept = rng.random(len(i)) > rng.uniform(0, 0.15)
    i, ring = i[kept], ring[kept]
    left = rays[i] * (radius[ring] * reach[i])[:, None]
    right = rays[(i + 1) % n] * (radius[ring] * reach[(i + 1) % n])[:, None]
    u = np.linspace(0, 1, 8)[None, :, None]
    sag = 1 - rng.uniform(0.05, 0.3) * (4 * u * (1 - u)) * np.minimum(6 / n, 0.5)
    d.layers.append(
        strokes(warp((left[:, None] * (1 - u) + right[:, None] * u) * sag), w * 0.8, w * 0.8, ink, rng, gloss=0.4)
    )
    if rng.random() < 0.5:
        cover = fill(s, [Warp(rng, warp(np.zeros(2)), s * rng.uniform(0.012, 0.05))(blob(rng))])
        body = surface(rng, cover, d.photo, d.ink())
        legs, out = contour(cover, rng, 8)
        if len(legs):
            d.layers.append(strokes(curves(legs, out, np.full(8, s * 0.08), rng.normal(0, 1, 8)), 2.5, 1.0,
                                    body.colour[cover > 127].mean(0).astype(np.float32) / 255, rng))  # fmt: skip
        d.layers.append(body)


def wheel(d: Desk) -> None:
    """One or two wheels with crossed spokes, seen aslant, joined by a frame; fans, clocks, parasols by chance."""
    rng, s = d.rng, d.size
    two = rng.random() < 0.5
    radius = s * (rng.uniform(0.14, 0.24) if two else rng.uniform(0.2, 0.42))
    first = _middle(d) - np.array([s * 0.22 if two else 0.0, -s * 0.1 if two else 0.0])
    centres = [first, first + np.array([radius * rng.uniform(2.2, 2.7), rng.normal(0, 0.05) * s])][: 1 + two]
    slant, ink, rim = rng.bit_generator.state, d.ink(), d.ink()
    n, cross, w = 2 * int(rng.integers(6, 26)), rng.uniform(0, 1.2), float(rng.uniform(0.5, 3.0))
    for centre in centres:
        same = np.random.default_rng()
        same.bit_generator.state = slant  # both wheels lie in one plane
        warp = Warp(same, centre, radius, 0.8)
        a = np.linspace(0, 2 * np.pi, n, endpoint=False) + rng.uniform(0, 6)
        hub = 0.1 * np.stack((np.cos(a + cross * (-1) ** np.arange(n)), np.sin(a + cross * (-1) ** np.arange(n))), 1)
        ends = np.stack((np.cos(a), np.sin(a)), 1)
        t = np.linspace(0, 1, 60)[:, None]
        d.layers.append(strokes(warp(hub[:, None] * (1 - t) + ends[:, None] * t), w, w, ink, rng, gloss=0.35))
        _ring(d, warp, oval(), rng.uniform(0.03, 0.14), rim)
        d.layers.append(surface(rng, fill(s, [warp(oval(scale=rng.uniform(0.08, 0.16)))]), d.photo, rim))
    if two:
        saddle = (centres[0] + centres[1]) / 2 - np.array([rng.normal(0, 0.05) * s, radius * rng.uniform(1.2, 1.9)])
        paint, thick = d.ink(), rng.uniform(0.008, 0.025) * s
        joints = [centres[0], saddle, centres[1], (centres[0] + centres[1]) / 2 + [0, radius * 0.1], saddle]
        for a0, b0 in itertools.pairwise(joints):
            d.band(np.asarray(np.linspace(a0, b0, 8), np.float32), thick, paint)


def grille(d: Desk) -> None:
    """Bars, blinds, combs, railings, baskets: parallel strands in a frame; hairy bodies behind them by chance."""
    rng, s = d.rng, d.size
    warp = Warp(rng, _middle(d), rng.uniform(0.25, 0.5) * s, 0.8)
    if rng.random() < 0.4:
        cover = creature(rng, s)
        body = surface(rng, cover, d.photo, d.ink())
        d.layers.append(body)
        hair_on(d, cover, body.colour, 0.5)
    n = d.many(6, 60)
    x = np.linspace(-0.97, 0.97, n)
    arch = np.sqrt((1 - x**2).clip(0)) * rng.uniform(0, 0.8)
    y = np.linspace(0, 1, 60)
    pts = np.stack((np.broadcast_to(x[:, None], (n, 60)), 1 - (1.4 + arch[:, None]) * y), -1)
    pts[..., 0] += rng.uniform(-0.3, 0.3) * pts[..., 1] ** 2 * rng.choice((0, 1))
    w = d.widths(1)[0]
    d.layers.append(strokes(warp(pts), w, w * rng.uniform(0.5, 1), d.shades(d.ink(), n, 0.1), rng, lanes=2))
    ink = d.ink()
    for at in (1.0, -0.4, *rng.uniform(-0.3, 0.9, int(rng.integers(0, 3)))):
        rail = warp(np.stack((np.linspace(-1, 1, 30), np.full(30, at)), 1))
        d.band(rail, rng.uniform(2, 0.05 * s), ink)
