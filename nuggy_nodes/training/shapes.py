"""Solid things: outlines, their antialiased coverage, contours to grow hair on, surfaces that look like something."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .strands import Floats, Warp

Bytes = NDArray[np.uint8]
FINE = 8  # sub-pixels along a pixel's side: coverage comes in steps of 1/64


@dataclass(frozen=True)
class Body:
    """Something solid, painted over what is there. cover: [H,W] uint8 alpha; colour: [H,W,3] uint8, straight."""

    cover: Bytes
    colour: Bytes


def fill(size: int, outlines: list[Floats]) -> Bytes:
    """[size,size] uint8 coverage of polygons [N,2]; where two overlap, even-odd: an outline and its hole."""
    out = np.zeros((size, size), np.uint8)
    everything = np.concatenate(outlines)
    x0, y0 = np.floor(everything.min(0) - 1).astype(int).clip(0, size)
    x1, y1 = np.ceil(everything.max(0) + 2).astype(int).clip(0, size)
    if x1 <= x0 or y1 <= y0:
        return out
    fine = np.zeros(((y1 - y0) * FINE, (x1 - x0) * FINE), np.uint8)
    cv2.fillPoly(fine, [np.round((o - (x0, y0) + 0.5) * FINE).astype(np.int32) for o in outlines], (255,))
    out[y0:y1, x0:x1] = cv2.resize(fine, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    return out


def blob(rng: np.random.Generator, n: int = 128, rough: float = 0.12) -> Floats:
    """[n,2]: a closed smooth outline about the unit circle."""
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    r = 1 + sum(rng.normal(0, rough / k) * np.cos(k * t + rng.uniform(0, 6.3)) for k in range(2, 7))
    return np.asarray(np.stack((np.cos(t) * r, np.sin(t) * r), 1), np.float32)


def oval(n: int = 160, power: float = 2.0, scale: float = 1.0) -> Floats:
    """[n,2]: a superellipse about the unit circle; power 2 is a circle, 4 nearly a square."""
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    c, s = np.cos(t), np.sin(t)
    p = np.stack((np.sign(c) * abs(c) ** (2 / power), np.sign(s) * abs(s) ** (2 / power)), 1)
    return np.asarray(p * scale, np.float32)


def ribbon(points: Floats, widths: Floats | float) -> Floats:
    """[2m,2]: the outline of a band along `points` [m,2], `widths` pixels wide."""
    d = np.gradient(points, axis=0)
    normal = np.stack((-d[:, 1], d[:, 0]), 1) / np.hypot(d[:, 0], d[:, 1])[:, None].clip(1e-6)
    half = normal * (np.broadcast_to(np.asarray(widths, np.float32), len(points)) / 2)[:, None]
    return np.asarray(np.concatenate((points + half, (points - half)[::-1])), np.float32)


def creature(rng: np.random.Generator, size: int) -> Bytes:
    """[size,size] uint8: one to five joined blobs, often mirrored: something that could be an animal or a thing."""
    out = np.zeros((size, size), np.uint8)
    centre = size * rng.uniform(0.35, 0.65, 2)
    radius = size * rng.uniform(0.12, 0.32)
    mirror = rng.random() < 0.5
    for i in range(int(rng.integers(1, 6))):
        far = 0 if i == 0 else radius * rng.uniform(0.7, 1.1)
        angle, part = rng.uniform(0, 2 * np.pi), radius * (1 if i == 0 else rng.uniform(0.2, 0.7))
        for side in (1, -1) if mirror and i else (1,):
            at = centre + far * np.array([side * np.cos(angle), np.sin(angle)])
            np.maximum(out, fill(size, [Warp(rng, at, part)(blob(rng))]), out=out)
    if rng.random() < 0.3:  # cut off by the frame
        away, axis = round(size * rng.uniform(0.2, 0.4)) * int(rng.choice((-1, 1))), int(rng.integers(0, 2))
        out = np.roll(out, away, axis)
        out.swapaxes(0, axis)[slice(away) if away > 0 else slice(away, None)] = 0  # what came in on the far side
    return out


def contour(cover: Bytes, rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """n points by chance on the outline of `cover` > 127, [n,2], and the outward directions there, [n] radians.

    Points on the picture's own border are left out; both are empty where there is no outline.
    """
    found, _ = cv2.findContours((cover > 127).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate([c[:, 0] for c in found if len(c) > 40] or [np.zeros((0, 2), np.int32)])
    height, width = cover.shape
    points = points[(points > 1).all(1) & (points < (width - 2, height - 2)).all(1)]
    if not len(points):
        return np.zeros((0, 2), np.float32), np.zeros(0, np.float32)
    points = points[rng.integers(0, len(points), n)]
    soft = cv2.GaussianBlur(cover, (0, 0), max(min(cover.shape) / 200, 1.5)).astype(np.float32)
    gx, gy = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    x, y = points.T
    return points.astype(np.float32), np.arctan2(-gy[y, x], -gx[y, x])


def surface(rng: np.random.Generator, cover: Bytes, photo: Bytes, ink: Floats) -> Body:
    """A body of this cover: a scrap of a photograph drawn toward the colour `ink`, lit like something round."""
    size = cover.shape[0]
    part = max(int(rng.uniform(0.15, 0.6) * min(photo.shape[:2])), 2)
    y, x = (int(rng.integers(0, s - part + 1)) for s in photo.shape[:2])
    scrap = cv2.resize(photo[y : y + part, x : x + part], (size, size), interpolation=cv2.INTER_LINEAR) / np.float32(
        255
    )
    share = rng.uniform(0.15, 0.7)
    colour = ink + share * (scrap - scrap.mean((0, 1)))
    depth = cv2.distanceTransform((cover > 127).astype(np.uint8), cv2.DIST_L2, 3)
    dome = np.sqrt((depth / max(float(depth.max()), 1)).clip(0, 1))
    dome = cv2.GaussianBlur(dome, (0, 0), max(size / 100, 1))
    towards = rng.normal(0, 0.2, 2)
    yy, xx = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    light = 1 - rng.uniform(0, 0.5) * (1 - dome) + towards[0] * xx + towards[1] * yy
    return Body(cover, (colour * light[..., None]).clip(0, 1).__mul__(255).astype(np.uint8))
