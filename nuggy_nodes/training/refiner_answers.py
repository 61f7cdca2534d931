"""Windows of scenes with a coarse mask: what the learned refinement is trained on.

The coarse mask is the network's own answer to the scene, or a drawn one that is wrong in the ways in which answers are:
strands opened away, gaps closed, softened, unsure in places, on a coarse grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.network.weights import Network
from ..core.ops.resample import enlarge
from ..core.recipes import Recipe, views
from ..core.refine.refine import doubt, refine
from ..core.segment.closer_look import look
from .shapes import Bytes
from .strands import Floats

WINDOW = 160  # pixels
VIEWS = ("896 896f 640fp15", "896f", "896")  # what the network is shown: as balanced, or one view
DOUBTFUL = 0.08  # of a window's pixels, at the least
REGION = 61  # pixels: a difference that a mean over this square keeps is a region's, not an edge's
WRONG = (0.08, 0.2)  # such a difference: an edge's matter up to the first, another subject from the second on


@dataclass(frozen=True)
class Windows:
    """image [N,W,W,3], alpha, coarse, filtered, doubt, believed [N,W,W], uint8."""

    image: Bytes
    alpha: Bytes
    coarse: Bytes
    filtered: Bytes
    doubt: Bytes
    believed: Bytes


def answered(image: Tensor, network: Network, rng: np.random.Generator) -> Tensor:
    """The network's coarse mask of a scene [1,3,S,S]."""
    which = str(rng.choice(VIEWS, p=(0.5, 0.35, 0.15)))
    return look(network, image, views(which), "regions" if " " in which else "mean")


def imagined(alpha: Tensor, rng: np.random.Generator, whole: int | None = None) -> Tensor:
    """A coarse mask such as a network might give, of a true alpha [1,1,S,S]; whole: pixels of the photograph that this
    is a window of."""
    a: NDArray[Any] = np.asarray(alpha[0, 0].numpy(), np.float32)
    size = len(a)
    cell = (whole or size) / 448 * float(np.exp(rng.uniform(-0.4, 0.5)))  # pixels of the network's grid

    def field(cells: int, n: int = size) -> Floats:
        small = rng.normal(0, 1, (cells, cells)).astype(np.float32)
        return np.asarray(cv2.resize(small, (n, n), interpolation=cv2.INTER_CUBIC), np.float32)

    def partly() -> Floats:
        return np.asarray(1 / (1 + np.exp(-4 * (field(int(rng.integers(3, 20))) + rng.normal(0, 0.7)))), np.float32)

    def shaped(kind: int, reach: float) -> Floats:
        k = max(round(reach * cell), 1)
        return np.asarray(cv2.morphologyEx(a, kind, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (k, k))), np.float32)

    if rng.random() < 0.7:  # strands lost
        a = a + partly() * (shaped(cv2.MORPH_OPEN, rng.uniform(1, 5)) - a)
    if rng.random() < 0.5:  # gaps closed
        a = a + partly() * rng.uniform(0.3, 1) * (shaped(cv2.MORPH_CLOSE, rng.uniform(1, 7)) - a)
    blur = cell * rng.uniform(0.4, 1.6)
    a = cv2.GaussianBlur(a, (0, 0), blur)
    if rng.random() < 0.5:
        a = a + partly() * (cv2.GaussianBlur(a, (0, 0), blur * rng.uniform(1.5, 4)) - a)
    if rng.random() < 0.35:  # a place that it is unsure of
        where = 1 / (1 + np.exp(-rng.uniform(4, 10) * (field(int(rng.integers(3, 12))) - rng.uniform(0.5, 1.5))))
        a = a + where.astype(np.float32) * rng.uniform(0.3, 1) * (rng.uniform(0.1, 0.9) - a)
    n = max(round(size / cell), 24)
    a = cv2.resize(a, (n, n), interpolation=cv2.INTER_AREA)
    steep, middle = rng.uniform(3, 10), rng.uniform(0.3, 0.6)
    low, high, at = (1 / (1 + np.exp(-steep * v)) for v in (-middle, 1 - middle, a - middle + 0.1 * field(12, n)))
    return torch.from_numpy(np.asarray(((at - low) / (high - low)).clip(0, 1), np.float32))[None, None]


def windows(
    image: Tensor,
    alpha: Tensor,
    coarse: Tensor,
    recipe: Recipe,
    rng: np.random.Generator,
    most: int,
    whole: int | None = None,
) -> Windows:
    """Up to `most` windows of a scene [1,3,S,S] with its alpha [1,1,S,S] and a coarse mask, where that is in doubt.

    A window that shows another subject than the coarse mask is passed over but for one in eight; `believed` is 0 there,
    where the refinement has to leave things as they are. whole: pixels of the photograph that the scene is a window of.
    """
    filtered = refine(image, coarse, **recipe.part("edge"), whole=whole)
    big = enlarge(coarse, *image.shape[-2:])
    planes = [(255 * x[0].clamp(0, 1)).round().to(torch.uint8).permute(1, 2, 0).numpy()
              for x in (image, alpha, big, filtered, doubt(big, whole))]  # fmt: skip
    off = np.abs(planes[3][..., 0].astype(np.float32) - planes[1][..., 0]) / 255
    region = cv2.blur(off, (REGION, REGION))
    believed = (255 * ((WRONG[1] - region) / (WRONG[1] - WRONG[0])).clip(0, 1)).astype(np.uint8)
    planes = [planes[0], *(p[..., 0] for p in planes[1:]), believed]
    kept: list[list[Bytes]] = []
    for _ in range(12 * most):
        y, x = rng.integers(0, len(believed) - WINDOW + 1, 2)
        part = (slice(y, y + WINDOW), slice(x, x + WINDOW))
        if (planes[4][part] > 12).mean() < DOUBTFUL or (believed[part].mean() < 128 and rng.random() > 0.125):
            continue
        kept.append([p[part] for p in planes])
        if len(kept) == most:
            break
    found = [np.stack(x) for x in zip(*kept, strict=True)] if kept else [np.zeros((0, WINDOW, WINDOW), np.uint8)] * 6
    return Windows(*found)
