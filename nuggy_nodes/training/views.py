"""Ways of looking at a photograph: the student's views. Whole, cut by the frame, farther off, turned, mirrored.

A view is an affine map from the network's square to the photograph, so that planes that belong to the photograph
(alpha, trust) go through the same one.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .shapes import Bytes


@dataclass(frozen=True)
class Look:
    """What the square shows of the photograph: a rectangle about (x, y), in shares of the photograph's sides; width
    and height in the same; turned by `turn` radians; mirrored by `flip`. Beyond its border the photograph continues
    as its last pixel, as it does in the padded views of the recipes (core/predict.py)."""

    x: float = 0.5
    y: float = 0.5
    width: float = 1.0
    height: float = 1.0
    turn: float = 0.0
    flip: bool = False


def draw_look(rng: np.random.Generator, subject: Bytes | None = None) -> Look:
    """A look by chance. subject: an alpha; crops then keep a part of it in the frame."""
    kind = rng.choice(("whole", "crop", "far", "turned"), p=(0.3, 0.35, 0.15, 0.2))
    flip = bool(rng.random() < 0.5)
    turn = float(rng.normal(0, 0.03)) if rng.random() < 0.3 else 0.0
    if kind == "whole":
        return Look(flip=flip)
    if kind == "far":
        side = rng.uniform(1.1, 1.6)
        x, y = 0.5 + rng.normal(0, 0.06, 2)
        return Look(float(x), float(y), side, side * rng.uniform(0.9, 1.1), turn, flip)
    if kind == "turned":
        return Look(0.5, 0.5, rng.uniform(0.7, 1.0), rng.uniform(0.7, 1.0), float(rng.uniform(-0.5, 0.5)), flip)
    width, height = rng.uniform(0.3, 0.95), rng.uniform(0.3, 0.95)
    ratio = np.exp(rng.uniform(-0.4, 0.4))
    height = float(np.clip(width * ratio if rng.random() < 0.7 else height, 0.25, 1))
    x, y = rng.uniform(width / 2, 1 - width / 2), rng.uniform(height / 2, 1 - height / 2)
    if subject is not None and rng.random() < 0.8:
        seen = np.argwhere(subject > 127)
        if len(seen):
            at = (seen[rng.integers(0, len(seen))] + 0.5) / subject.shape
            x = float(np.clip(at[1], width / 2, 1 - width / 2))
            y = float(np.clip(at[0], height / 2, 1 - height / 2))
    return Look(float(x), float(y), float(width), height, turn, flip)


def see(pixels: Bytes, look: Look, size: int) -> Bytes:
    """[H,W] or [H,W,3] uint8 of the photograph to the square of `size`, reduced by area before it is sampled."""
    height, width = pixels.shape[:2]
    sx, sy = min(size / (look.width * width), 1.0), min(size / (look.height * height), 1.0)
    if abs(look.turn) > 0.2:
        sx = sy = max(sx, sy)
    if sx < 1 or sy < 1:
        to = (max(round(width * sx), 1), max(round(height * sy), 1))
        pixels = np.asarray(cv2.resize(pixels, to, interpolation=cv2.INTER_AREA), np.uint8)
        height, width = pixels.shape[:2]
    unit = np.array([[1 / size, 0, 0.5 / size - 0.5], [0, 1 / size, 0.5 / size - 0.5], [0, 0, 1]])
    if look.flip:
        unit = np.diag([-1.0, 1.0, 1.0]) @ unit
    # turned in pixels of the photograph, so that a turned square stays one
    box = np.diag([look.width * width, look.height * height, 1.0])
    c, s = np.cos(look.turn), np.sin(look.turn)
    spin = np.array([[c, -s, look.x * width - 0.5], [s, c, look.y * height - 0.5], [0, 0, 1]])
    matrix = (spin @ box @ unit)[:2]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(pixels, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
