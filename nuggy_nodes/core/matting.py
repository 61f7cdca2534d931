"""The matting-Laplacian solve: closed-form matting at the price of a few guided filters.

Levin, Lischinski, Weiss ("A Closed-Form Solution to Natural Image Matting", PAMI 2008) ask that alpha be a linear
function of the colours in every window, alpha = a.I + b, with a penalty `epsilon` on a. What is left of alpha when the
best such function is taken away, squared and summed over all windows, is the quadratic form of the matting Laplacian L.
He, Sun, Tang ("Fast Matting Using Large Kernel Matting Laplacian Matrices", CVPR 2010) multiply by L without building
it, at a cost that does not depend on the radius. With GF the guided filter and c_i the number of windows that hold i,

    (L p)_i = c_i (p_i - GF(p)_i)

so one guided filter is one step down this energy. Here alpha is also held to a first guess p0 where that is sure:

    minimise  x' L x / |w| + strength * sum_i confidence_i (x_i - p0_i)^2

by conjugate gradients with the diagonal as preconditioner.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .boxmean import box_mean
from .checks import check_alpha, check_image, match_batch
from .errors import InputError
from .guided import _solve3, enlarge


def solve(
    guide: Tensor,
    alpha: Tensor,
    confidence: Tensor | None = None,
    radius: int = 4,
    epsilon: float = 1e-4,
    iterations: int = 10,
    strength: float = 1.0,
    tolerance: float = 1e-4,
) -> Tensor:
    """Alpha that is locally linear in the guide's colours and close to a first guess where that is sure.

    guide: [B,3,H,W], values 0..1. alpha: [B,1,H,W], the first guess p0; smaller sizes are enlarged bilinearly.
    confidence: [B,1,H,W] in 0..1, how far each pixel's first guess is to be believed; None: `certainty(alpha)`.
    radius: pixels, 1 or more. epsilon: squared contrast of the guide that counts as flat, above 0. iterations: at most
    so many steps of conjugate gradients; fewer when the residual falls under `tolerance` of its start. strength: weight
    of the first guess against the smoothness, above 0.
    Returns [B,1,H,W] float32, not clipped. Raises InputError.
    """
    check_image(guide, "guide")
    check_alpha(alpha)
    if radius != int(radius) or radius < 1:
        raise InputError(f"radius must be a whole number of pixels, at least 1; got {radius}")
    if not epsilon > 0 or not strength > 0:
        raise InputError(f"epsilon and strength must be above 0; got {epsilon} and {strength}")
    if iterations != int(iterations) or iterations < 0:
        raise InputError(f"iterations must be a whole number, at least 0; got {iterations}")
    alpha = enlarge(alpha.float(), guide.shape[-2], guide.shape[-1])
    if confidence is None:
        confidence = certainty(alpha)
    confidence = enlarge(check_alpha(confidence, "confidence").float(), guide.shape[-2], guide.shape[-1])
    alpha, confidence = match_batch(alpha, confidence, "alpha", "confidence")
    guide, alpha = match_batch(guide, alpha, "guide", "alpha")
    _, confidence = match_batch(guide, confidence, "guide", "confidence")
    solved = [
        _solve_one(g, p, strength * c, int(radius), float(epsilon), int(iterations), tolerance)
        for g, p, c in zip(guide.split(1), alpha.split(1), confidence.split(1))
    ]
    return torch.cat(solved)


def certainty(alpha: Tensor) -> Tensor:
    """How sure a probability is of either side: (2 alpha - 1)^4, 0 at a half, 1 at the ends."""
    return (2 * alpha - 1).pow(4)


class Laplacian:
    """L / |w| of one photograph, as a function: [1,1,H,W] to the same shape. |w| = (2 radius + 1)^2."""

    def __init__(self, guide: Tensor, radius: int, epsilon: float):
        """guide: [1,3,H,W], values 0..1."""
        self.radius, self.epsilon = radius, epsilon
        # unchanged by a constant; near zero float32 keeps small variances
        self.guide = guide.float() - guide.mean(dtype=torch.float32)
        pairs = [self.guide[:, i:] * self.guide[:, i : i + 1] for i in range(3)]
        means = box_mean(torch.cat([self.guide, *pairs], 1), radius)
        self.mean, self.sigma = means[:, :3], means[:, 3:]
        at = 0
        for i in range(3):
            self.sigma[:, at : at + 3 - i].sub_(self.mean[:, i:] * self.mean[:, i : i + 1])
            at += 3 - i
        height, width = guide.shape[-2:]
        rows, columns = (_windows(n, radius, guide.device) / (2 * radius + 1) for n in (height, width))
        self.count = rows[:, None] * columns

    def __call__(self, p: Tensor) -> Tensor:
        return self.count * (p - self.filter(p))

    def filter(self, p: Tensor) -> Tensor:
        """The guided filter of p."""
        means = box_mean(torch.cat((p, self.guide * p), 1), self.radius)
        a = _solve3(self.sigma, means[:, 1:].sub_(self.mean * means[:, :1]), self.epsilon)
        b = means[:, :1] - (a * self.mean).sum(1, keepdim=True)
        fitted = box_mean(torch.cat((a, b), 1), self.radius)
        return fitted[:, 3:] + (fitted[:, :3] * self.guide).sum(1, keepdim=True)


def _windows(n: int, r: int, device: torch.device) -> Tensor:
    """How many windows of 2r+1, centred inside a row of n pixels, hold each pixel."""
    i = torch.arange(n, device=device)
    return ((i + r).clamp(max=n - 1) - (i - r).clamp(min=0) + 1).float()


def _solve_one(
    guide: Tensor, p0: Tensor, weight: Tensor, radius: int, epsilon: float, iterations: int, tolerance: float
) -> Tensor:
    laplacian = Laplacian(guide, radius, epsilon)
    x = p0.clone()
    residual = -laplacian(x)  # weight * (p0 - x) is zero at the start
    inverse = 1 / (laplacian.count + weight)
    z = inverse * residual
    direction, rho = z.clone(), _dot(residual, z)
    enough = rho * tolerance**2
    for _ in range(iterations):
        if rho <= enough:
            break
        product = laplacian(direction) + weight * direction
        step = rho / _dot(direction, product)
        x += step * direction
        residual -= step * product
        z = inverse * residual
        rho, previous = _dot(residual, z), rho
        direction = z + (rho / previous) * direction
    return x


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(dtype=torch.float64).float()
