"""Errors of an alpha against a measured one, as alphamatting.com defines them, over the whole picture.

Rhemann, Rother, Wang, Gelautz, Kohli, Rott, "A Perceptually Motivated Online Benchmark for Image Matting", CVPR 2009.
All functions take alpha and truth as [H,W] float arrays with values 0..1, and return one float, smaller is better but
for `thin_recall`. There is no trimap: a remover answers for every pixel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
SIGMA = 1.4  # of the Gaussian derivative, pixels
STEP = 0.1  # of the threshold in the connectivity error
THIN = 4  # pixels: narrower parts of the truth are thin
SPECK = 8  # pixels: smaller pieces left by the opening are corners of bodies, not thin parts


def sad(alpha: Plane, truth: Plane) -> float:
    """Sum of absolute differences, in thousands of pixels."""
    _check(alpha, truth)
    return float(np.abs(alpha.astype(np.float64) - truth).sum() / 1000)


def mse(alpha: Plane, truth: Plane) -> float:
    """Mean squared difference, times 1000."""
    _check(alpha, truth)
    return float(((alpha.astype(np.float64) - truth) ** 2).mean() * 1000)


def gradient(alpha: Plane, truth: Plane) -> float:
    """Sum of the squared differences of the gradients' magnitudes, over 1000 (Rhemann et al., equation 2, q = 2).

    Gradients are derivatives of a Gaussian with sigma 1.4 whose smoothing part sums to one, so that they are in alpha
    per pixel (alphamatting.com's own script scales the kernels to unit length instead: figures 97 times as large).
    """
    _check(alpha, truth)
    return float(((_gradient(alpha) - _gradient(truth)) ** 2).sum() / 1000)


def connectivity(alpha: Plane, truth: Plane) -> float:
    """How far pixels hang off the part that both agree on, in thousands of pixels (theta 0.15, p = 1).

    For rising thresholds, the source region is the largest 4-connected region in which both are at or above the
    threshold; a pixel's level is the last threshold at which it still belonged to it.
    """
    import cv2

    _check(alpha, truth)
    level = np.full(alpha.shape, -1.0)
    steps = np.arange(0, 1 + STEP / 2, STEP)
    for i in range(1, len(steps)):
        both = ((alpha >= steps[i] - 1e-6) & (truth >= steps[i] - 1e-6)).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(both, connectivity=4)
        source = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()) if count > 1 else np.zeros(alpha.shape, bool)
        level[(level == -1) & ~source] = steps[i - 1]
    level[level == -1] = 1
    off = [plane - level for plane in (alpha.astype(np.float64), truth.astype(np.float64))]
    phi = [1 - d * (d >= 0.15) for d in off]
    return float(np.abs(phi[0] - phi[1]).sum() / 1000)


def thin_recall(alpha: Plane, truth: Plane) -> float:
    """Which share of the truth's thin parts alpha has: sum of min(alpha, truth) over sum of truth, in `thin_parts`.

    0..1, larger is better; nan where the truth has no thin part.
    """
    _check(alpha, truth)
    thin = thin_parts(truth)
    total = float(truth[thin].sum())
    return float(np.minimum(alpha, truth)[thin].sum() / total) if total else float("nan")


def thin_parts(truth: Plane) -> NDArray[np.bool_]:
    """Pixels of truth > 0.5 that no disc of 4 pixels inside it covers (a morphological opening takes them), less
    specks under 8 pixels. Strands up to 3 pixels wide, diagonals included; bodies lose nothing but sharp tips."""
    import cv2

    disc = np.ones((THIN, THIN), np.uint8)
    disc[0, 0] = disc[0, -1] = disc[-1, 0] = disc[-1, -1] = 0
    inside = (truth > 0.5).astype(np.uint8)
    padded = cv2.copyMakeBorder(inside, THIN, THIN, THIN, THIN, cv2.BORDER_REPLICATE)
    # an even kernel has no middle: erode from one side of it, dilate from the other, so that nothing moves
    opened = cv2.dilate(cv2.erode(padded, disc, anchor=(1, 1)), disc, anchor=(2, 2))[THIN:-THIN, THIN:-THIN]
    thin = (inside & (1 - opened)).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(thin, connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= SPECK
    large[0] = False
    return np.asarray(large[labels], bool)


def _gradient(alpha: Plane) -> NDArray[np.float64]:
    import cv2

    r = int(np.ceil(3 * SIGMA))
    x = np.arange(-r, r + 1, dtype=np.float64)
    smooth = np.exp(-(x**2) / (2 * SIGMA**2))
    smooth /= smooth.sum()
    slope = smooth * x / SIGMA**2
    slope /= (slope * x).sum()  # one on a ramp of one per pixel
    plane = alpha.astype(np.float64)
    gx = cv2.sepFilter2D(plane, -1, slope, smooth, borderType=cv2.BORDER_REPLICATE)
    gy = cv2.sepFilter2D(plane, -1, smooth, slope, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(np.sqrt(gx * gx + gy * gy))


def _check(alpha: Plane, truth: Plane) -> None:
    if alpha.ndim != 2 or alpha.shape != truth.shape:
        raise ValueError(f"alpha and truth must be planes of one size; got {alpha.shape} and {truth.shape}")
