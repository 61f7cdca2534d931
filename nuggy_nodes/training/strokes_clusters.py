"""Parts of a canvas that a mask may get wrong whole: clusters of segments of like colours, and blobs.

Segments are those of Felzenszwalb and Huttenlocher (IJCV 2004) or of SLIC (Achanta et al., TPAMI 2012), as
scikit-image has them (the `train` extra).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import felzenszwalb, slic

from .strokes_matter import Floats

Labels = NDArray[np.int32]
SEGMENTED, CLUSTERS = 2, 4  # ways of segmenting a canvas, and clusters looked for
SEED = 80  # pixels: a segment smaller than this begins no cluster
SIZE = (0.004, 0.2)  # of the canvas: a cluster's size at the most
LIKE = (0.05, 0.35)  # distance of mean colours up to which a neighbour joins


def clusters(rng: np.random.Generator, image: Floats, whole: Floats) -> list[Floats]:
    """Up to CLUSTERS planes [h,w], 0..1, of a canvas [h,w,3]; most of them within its subjects `whole` [h,w], or
    outside."""
    found, every = [], [segments(rng, image) for _ in range(SEGMENTED)]
    for i in range(CLUSTERS):
        within = None if rng.random() < 0.3 else (whole if rng.random() < 0.6 else 1 - whole)
        made = cluster(rng, image, every[i % SEGMENTED], within)
        if made is not None:
            found.append(made)
    return found


def segments(rng: np.random.Generator, image: Floats) -> Labels:
    """Numbers of segments [h,w] of a canvas, found at half its size."""
    height, width = image.shape[:2]
    half = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.75:
        found = felzenszwalb(half, scale=float(np.exp(rng.uniform(*np.log((20, 200))))), sigma=0.6, min_size=25)
    else:
        found = slic(half, n_segments=int(rng.integers(40, 200)), compactness=float(rng.uniform(3, 20)), start_label=0,
                     max_num_iter=5)  # fmt: skip
    large = cv2.resize(found.astype(np.int32), (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(np.unique(large, return_inverse=True)[1], np.int32).reshape(height, width)


def cluster(rng: np.random.Generator, image: Floats, labels: Labels, within: Floats | None = None) -> Floats | None:
    """A contiguous cluster of segments, grown from one by the neighbour of the likest mean colour.

    within: a plane [h,w], 0..1; segments that lie in it by half count, and the cluster is cut at it. None where no
    segment is large enough.
    """
    flat = labels.ravel()
    area = np.bincount(flat).astype(np.float64)
    colour = np.stack([np.bincount(flat, image[..., c].ravel()) for c in range(3)], 1) / area[:, None]
    fits = np.ones(len(area), bool) if within is None else np.bincount(flat, within.ravel()) / area > 0.5
    seeds = np.nonzero(fits & (area > SEED))[0]
    if not len(seeds):
        return None
    touching = _neighbours(labels)
    goal, like = np.exp(rng.uniform(*np.log(SIZE))) * labels.size, rng.uniform(*LIKE)
    first = int(rng.choice(seeds, p=area[seeds] / area[seeds].sum()))
    got, size, total = {first}, area[first], colour[first] * area[first]
    front = {n for n in touching[first] if fits[n]}
    while size < goal and front:
        order = np.array(sorted(front))
        apart = np.square(colour[order] - total / size).sum(1)
        nearest = int(order[apart.argmin()])
        if apart.min() > like * like:
            break
        got.add(nearest)
        size, total = size + area[nearest], total + colour[nearest] * area[nearest]
        front = (front | {n for n in touching[nearest] if fits[n]}) - got
    plane = np.isin(labels, sorted(got)).astype(np.float32)
    return plane if within is None else np.asarray(plane * within, np.float32)


def blob(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Round patches without regard to what is seen: smoothed noise above a level. [h,w], 0 or 1."""
    noise = rng.standard_normal((height, width)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), float(rng.uniform(0.03, 0.12)) * max(height, width))
    return np.asarray(smooth > smooth.std() * rng.uniform(0.3, 1.5), np.float32)


def _neighbours(labels: Labels) -> list[set[int]]:
    """The segments that share a side with each."""
    pairs: list[NDArray[Any]] = []
    for a, b in ((labels[:, 1:], labels[:, :-1]), (labels[1:], labels[:-1])):
        differ = a != b
        pairs.append(np.stack((a[differ], b[differ]), 1))
    found: list[set[int]] = [set() for _ in range(int(labels.max()) + 1)]
    for a, b in np.unique(np.concatenate(pairs), axis=0).tolist():
        found[a].add(b)
        found[b].add(a)
    return found
