"""Problems of a canvas: what a user means (the truth), and the mask that the user starts from.

The truth is all subjects, one, some, or with a part more or less; the start is the segmentation network's answer, other
subjects, or the truth with parts too much or missing, blurred or faint. Some canvases are painted anew in flat colours:
a stroke has to be followed there too, where photographs teach nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .strokes_bank import Canvas
from .strokes_matter import Floats

WRONG = (0.0005, 0.5)  # share of cells in which a start is wrong, at least and at most
MEANT = 40  # cells: less than this is meant by nobody
FLAT = 0.12  # of the canvases are painted flat


@dataclass(frozen=True)
class Problem:
    """image [3,h,w]; truth, start [h,w]; 0..1. learnt [LEARNT,m,n]."""

    image: Tensor
    truth: Floats
    start: Floats
    learnt: Tensor


def problem(rng: np.random.Generator, canvas: Canvas) -> Problem | None:
    """A problem by chance, mirrored in half of all cases; None where too little or too much would be wrong."""
    truth = _meant(rng, canvas)
    if truth.sum() < MEANT:
        return None
    image = _flat(rng, canvas) if rng.random() < FLAT else canvas.image
    start = _worn(rng, _start(rng, canvas, truth), truth)
    if not WRONG[0] < (np.abs(start - truth) > 0.5).mean() < WRONG[1]:
        return None
    learnt, step = canvas.learnt, 1
    if rng.random() < 0.5:
        learnt, step = learnt.flip(-1), -1
    image, truth, start = (np.ascontiguousarray(x[:, ::step]) for x in (image, truth, start))
    return Problem(torch.from_numpy(image).permute(2, 0, 1), truth, start, learnt)


def _some(rng: np.random.Generator, canvas: Canvas) -> Floats:
    """Each layer or not."""
    return _plane(canvas.layers[rng.random(len(canvas.layers)) < 0.5].sum(0))


def _meant(rng: np.random.Generator, canvas: Canvas) -> Floats:
    layers = canvas.layers
    kind = rng.random()
    if kind < 0.35:
        truth = _plane(layers.sum(0))
    else:
        truth = layers[int(rng.integers(len(layers)))] if kind < 0.74 else _some(rng, canvas)
    if len(canvas.clusters) and rng.random() < 0.2:  # a part more, or what it holds the other way round
        part = canvas.clusters[int(rng.integers(len(canvas.clusters)))]
        truth = np.abs(truth - part) if rng.random() < 0.5 else np.maximum(truth, part)
    return truth


def _start(rng: np.random.Generator, canvas: Canvas, truth: Floats) -> Floats:
    kind = rng.random()
    if kind < 0.4:
        return canvas.answer
    if kind < 0.65:
        return _some(rng, canvas)
    start = truth
    for _ in range(1 + int(rng.random() < 0.4)):
        if rng.random() < 0.4:
            start = _plane(start + _sliver(rng, canvas, truth))
            continue
        if len(canvas.clusters) and rng.random() < 0.85:
            part = canvas.clusters[int(rng.integers(len(canvas.clusters)))]
        else:
            part = canvas.blob if rng.random() < 0.5 else canvas.blob * truth
        if rng.random() < 0.4:
            start = np.maximum(start, part)
        else:
            start = start * (1 - part) if rng.random() < 0.7 else np.abs(start - part)
    return start


def _sliver(rng: np.random.Generator, canvas: Canvas, truth: Floats) -> Floats:
    """What an edge that is moved by 1 to 3 cells in places adds or takes, -1..1."""
    size = int(rng.integers(2, 8))
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    where = canvas.blob
    if rng.random() < 0.5:
        down, right = (int(n) for n in rng.integers(0, 80, 2))
        where = np.roll(where, (down, right), (0, 1))
    moved = (cv2.dilate if rng.random() < 0.5 else cv2.erode)(truth, ellipse)
    return np.asarray(where * (moved - truth), np.float32)


def _worn(rng: np.random.Generator, start: Floats, truth: Floats) -> Floats:
    """A start as masks are: half of them soft, four in ten with faint errors, three in ten with more contrast."""
    if rng.random() < 0.5:
        start = np.asarray(cv2.GaussianBlur(start, (0, 0), float(rng.uniform(0.3, 1.5))), np.float32)
    if rng.random() < 0.4:
        start = truth + (start - truth) * float(rng.uniform(0.55, 1))
    if rng.random() < 0.3:
        start = (start - 0.1) / 0.8
    return _plane(start)


def _flat(rng: np.random.Generator, canvas: Canvas) -> Floats:
    """The canvas in one colour, or all blurred; layers and some clusters in colours of their own; noise."""
    image = np.asarray(cv2.GaussianBlur(canvas.image, (0, 0), 12), np.float32)
    if rng.random() < 0.6:
        image = np.broadcast_to(rng.random(3, np.float32), image.shape)
    for part in (*canvas.layers, *(c for c in canvas.clusters[:2] if rng.random() < 0.3)):
        image = image * (1 - part[..., None]) + rng.random(3, np.float32) * part[..., None]
    return _plane(image + rng.normal(0, rng.uniform(0, 0.04), image.shape))


def _plane(values: NDArray[np.floating[Any]]) -> Floats:
    return np.asarray(np.clip(values, 0, 1), np.float32)
