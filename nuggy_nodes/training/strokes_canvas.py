"""Canvases for the network that spreads strokes: one to four subjects over a ground, or a photograph as it is.

What a user means is a subject, some of several, or a part: so the layers are kept apart, each with the share of it that
is seen. A photograph's own mask is the truth of it; where that is wrong, it is so in ways in which subjects are shaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from . import files
from .refiner_scenes import subject
from .shapes import Bytes
from .strokes_matter import Floats, matter

LONGEST = 512  # pixels of a photograph's long side
SIDE = 320  # pixels of a canvas's long side
SHAPES = ((SIDE, SIDE), (SIDE * 7 // 10, SIDE), (SIDE, SIDE * 7 // 10))  # height, width
COMPOSITES = 0.5  # of the canvases; the others are photographs
SEEN = 60  # pixels: a layer of which less is seen is none


@dataclass(frozen=True)
class Photograph:
    """path; cut: its subject (refiner_scenes.subjects); worth: whether that is worth compositing."""

    path: Path
    cut: Path
    worth: bool


@dataclass(frozen=True)
class Pools:
    """What canvases are made of. Held-back ones are made of other photographs than those that train."""

    photographs: Sequence[Photograph]
    grounds: Sequence[Path]

    @property
    def worth(self) -> Sequence[Photograph]:
        return [p for p in self.photographs if p.worth]


def canvas(rng: np.random.Generator, pools: Pools) -> tuple[Floats, list[Floats]]:
    """A canvas [h,w,3] and its layers [h,w], each with the share of a pixel in which it is seen; 0..1. No layer where
    none is seen."""
    height, width = SHAPES[int(rng.integers(len(SHAPES)))]
    image, layers = (_composite if rng.random() < COMPOSITES else _photograph)(rng, pools, height, width)
    if rng.random() < 0.3:  # noise
        image = np.asarray(image + rng.normal(0, rng.uniform(0.01, 0.04), image.shape), np.float32)
    return image.clip(0, 1), [layer for layer in layers if layer.sum() > SEEN]


def _composite(rng: np.random.Generator, pools: Pools, height: int, width: int) -> tuple[Floats, list[Floats]]:
    some = pools.grounds if rng.random() < 0.7 else [p.path for p in pools.photographs]
    image = _lit(rng, _part(rng, height, width, _colours(some[int(rng.integers(len(some)))]))[0])
    if rng.random() < 0.3:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.5, 3))), np.float32)
    layers: list[Floats] = []
    first = _any(rng, pools)
    for _ in range(int(rng.integers(1, 5))):
        which = first if rng.random() < 0.25 else _any(rng, pools)  # now and then two of a kind
        image, layers = _pasted(rng, image, layers, which, rng.uniform(0.25, 0.95))
    return image, layers


def _photograph(rng: np.random.Generator, pools: Pools, height: int, width: int) -> tuple[Floats, list[Floats]]:
    which = pools.photographs[int(rng.integers(len(pools.photographs)))]
    whole = _colours(which.path)
    mask = cv2.resize(_subject(which.cut)[0], whole.shape[1::-1], interpolation=cv2.INTER_AREA)
    image, alpha = _part(rng, height, width, whole, np.asarray(mask, np.float32))
    image, layers = _lit(rng, image), [alpha]
    if rng.random() < 0.35:
        image, layers = _pasted(rng, image, layers, _any(rng, pools), rng.uniform(0.2, 0.6))
    return image, layers


def _any(rng: np.random.Generator, pools: Pools) -> Photograph:
    return pools.worth[int(rng.integers(len(pools.worth)))]


def _part(rng: np.random.Generator, height: int, width: int, *planes: Floats) -> list[Floats]:
    """The same part of several planes, up to 1.8 times as near as need be, mirrored or not."""
    rows, columns = planes[0].shape[:2]
    scale = max(height / rows, width / columns) * rng.uniform(1, 1.8)
    size = max(int(columns * scale + 0.99), width), max(int(rows * scale + 0.99), height)
    y, x = int(rng.integers(size[1] - height + 1)), int(rng.integers(size[0] - width + 1))
    how, step = (cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), (-1 if rng.random() < 0.5 else 1)
    return [
        np.asarray(cv2.resize(p, size, interpolation=how), np.float32)[y : y + height, x : x + width][:, ::step]
        for p in planes
    ]


def _lit(rng: np.random.Generator, image: Floats) -> Floats:
    """In other light: brightness, contrast, and three in ten a tint."""
    image = np.asarray(image * rng.uniform(0.75, 1.2), np.float32)
    mean = image.mean()
    image = np.asarray((image - mean) * rng.uniform(0.7, 1.2) + mean, np.float32)
    if rng.random() < 0.3:
        image = np.asarray(image * rng.uniform(0.85, 1.15, 3), np.float32)
    return np.clip(image, 0, 1)


def _pasted(
    rng: np.random.Generator, image: Floats, layers: Sequence[Floats], which: Photograph, size: float
) -> tuple[Floats, list[Floats]]:
    """A subject over an image, `size` of its long side large, as much as half of it outside; and what is then seen of
    each layer."""
    alpha, colour = _subject(which.cut)
    rows, columns = (np.nonzero((alpha > 0.3).any(axis))[0] for axis in (1, 0))
    if not len(rows):
        return image, list(layers)
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    step = -1 if rng.random() < 0.5 else 1
    colour, alpha = _lit(rng, colour[box][:, ::step]), matter(rng, np.ascontiguousarray(alpha[box][:, ::step]))
    height, width = image.shape[:2]
    scale = size * max(height, width) / max(alpha.shape)
    high, wide = (max(int(n * scale), 4) for n in alpha.shape)
    y = int(rng.integers(-(high // 4), height - high // 2 + 1))
    x = int(rng.integers(-(wide // 4), width - wide // 2 + 1))
    to = slice(max(y, 0), min(y + high, height)), slice(max(x, 0), min(x + wide, width))
    of = slice(to[0].start - y, to[0].stop - y), slice(to[1].start - x, to[1].stop - x)
    cover = np.zeros((height, width), np.float32)
    cover[to] = cv2.resize(alpha, (wide, high), interpolation=cv2.INTER_AREA)[of]
    out = image.copy()
    over = cv2.resize(np.ascontiguousarray(colour), (wide, high), interpolation=cv2.INTER_AREA)[of]
    out[to] += cover[to][..., None] * (over - out[to])
    return out, [*(np.asarray(layer * (1 - cover), np.float32) for layer in layers), cover]


@lru_cache(maxsize=256)
def _colours(path: Path) -> Floats:
    return _unit(files.colours(path, LONGEST))


@lru_cache(maxsize=256)
def _subject(path: Path) -> tuple[Floats, Floats]:
    """alpha [h,w] and colours [h,w,3] of a subject, 0..1."""
    alpha, colour = (_unit(files.reduced(p, LONGEST)) for p in subject(path))
    return alpha, colour


def _unit(pixels: Bytes) -> Floats:
    return np.asarray(pixels / np.float32(255), np.float32)
