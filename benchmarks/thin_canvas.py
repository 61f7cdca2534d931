"""A canvas for drawings whose alpha is known exactly: antialiased strokes and solid bodies over a background.

Everything is painted with the over operator of Porter and Duff ("Compositing Digital Images", SIGGRAPH 1984) in
premultiplied form, so the picture is alpha * F + (1 - alpha) * B with exactly the alpha that is handed out.
"""

from __future__ import annotations

import itertools

import cv2
import numpy as np

WIDTHS = (1, 2, 3, 4)  # the buckets, in pixels
PIECE = 24.0  # a stroke is painted in straight pieces of about this many pixels


class Canvas:
    """Paint on it, then read `picture`, `alpha`, `thin` and `label`.

    alpha: [H,W] float32, everything painted. thin: [H,W] float32, the share of alpha that strokes painted and that no
    body hides. label: [H,W] uint8, the width in pixels (1..4) of the stroke at a pixel, 0 where there is none.
    """

    def __init__(self, background: np.ndarray, rng: np.random.Generator):
        """background: [H,W,3] float32, values 0..1."""
        self.background = background.astype(np.float32)
        self.height, self.width = background.shape[:2]
        self.rng = rng
        self.colour = np.zeros_like(self.background)  # premultiplied
        self.alpha = np.zeros((self.height, self.width), np.float32)
        self.thin = np.zeros_like(self.alpha)
        self.label = np.zeros((self.height, self.width), np.uint8)
        self._strongest = np.zeros_like(self.alpha)

    @property
    def picture(self) -> np.ndarray:
        """[H,W,3] uint8: the composite."""
        out = self.colour + (1 - self.alpha[..., None]) * self.background
        return np.round(out.clip(0, 1) * 255).astype(np.uint8)

    def stroke(self, points: np.ndarray, width: float, colour: np.ndarray, tip: float | None = None) -> None:
        """A curve through `points` [N,2] (x, y; pixel centres at whole numbers), `width` pixels wide, down to `tip`.

        The coverage of a pixel is that of a box of one pixel laid across the line: (width + 1) / 2 - distance, within
        0..min(width, 1).
        """
        points, widths = _pieces(np.asarray(points, np.float64), width, width if tip is None else tip)
        lo = np.floor(points.min(0) - width - 2).astype(int).clip(0)
        hi = np.ceil(points.max(0) + width + 3).astype(int)
        x0, y0, x1, y1 = lo[0], lo[1], min(hi[0], self.width), min(hi[1], self.height)
        if x1 <= x0 or y1 <= y0:
            return
        cover = np.zeros((y1 - y0, x1 - x0), np.float32)
        local = np.zeros_like(cover)
        for a, b, w in zip(points[:-1], points[1:], widths):
            px0, py0 = (np.floor(np.minimum(a, b) - w - 1).astype(int) - (x0, y0)).clip(0)
            px1, py1 = np.ceil(np.maximum(a, b) + w + 2).astype(int) - (x0, y0)
            part, part_width = cover[py0:py1, px0:px1], local[py0:py1, px0:px1]
            if not part.size:
                continue
            y, x = np.mgrid[py0 + y0 : py0 + y0 + part.shape[0], px0 + x0 : px0 + x0 + part.shape[1]]
            d = b - a
            t = (((x - a[0]) * d[0] + (y - a[1]) * d[1]) / max(d @ d, 1e-9)).clip(0, 1)
            distance = np.hypot(x - a[0] - t * d[0], y - a[1] - t * d[1])
            new = ((w + 1) / 2 - distance).clip(0, min(w, 1)).astype(np.float32)
            part_width[new > part] = w
            np.maximum(part, new, out=part)
        region = (slice(y0, y1), slice(x0, x1))
        self._over(region, cover, colour)
        self.thin[region] = cover + (1 - cover) * self.thin[region]
        stronger = cover > self._strongest[region]
        self._strongest[region][stronger] = cover[stronger]
        self.label[region][stronger] = np.clip(np.round(local[stronger]), WIDTHS[0], WIDTHS[-1])

    def body(self, outline: np.ndarray, colour: np.ndarray, hole: np.ndarray | None = None) -> None:
        """A filled polygon [N,2] (x, y), with a hole or without, shaded like something round and mottled."""
        scale, shade, mottle = 8, 0.35, 0.05
        fine = np.zeros((self.height, self.width), np.float32)
        x0, y0 = np.floor(outline.min(0) - 2).astype(int).clip(0)
        x1, y1 = np.ceil(outline.max(0) + 3).astype(int)
        x1, y1 = min(x1, self.width), min(y1, self.height)
        big = np.zeros(((y1 - y0) * scale, (x1 - x0) * scale), np.uint8)
        outlines = [outline] if hole is None else [outline, hole]
        cv2.fillPoly(big, [np.round((o - (x0, y0) + 0.5) * scale).astype(np.int32) for o in outlines], 255)
        fine[y0:y1, x0:x1] = cv2.resize(big, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA) / np.float32(255)
        depth = cv2.distanceTransform((fine > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
        dome = np.sqrt((depth / max(depth.max(), 1)).clip(0, 1))
        coarse = self.rng.normal(size=(self.height // 8, self.width // 8)).astype(np.float32)
        noise = cv2.resize(coarse, (self.width, self.height), interpolation=cv2.INTER_CUBIC)
        light = (1 - shade) + shade * dome + mottle * noise
        self._over((slice(None), slice(None)), fine, np.clip(colour * light[..., None], 0, 1).astype(np.float32))
        self.thin *= 1 - fine
        self.label[self.thin == 0] = 0

    def _over(self, region: tuple[slice, slice], cover: np.ndarray, colour: np.ndarray) -> None:
        self.colour[region] = cover[..., None] * colour + (1 - cover[..., None]) * self.colour[region]
        self.alpha[region] = cover + (1 - cover) * self.alpha[region]

    def grain(self, sigma: float = 0.008) -> None:
        """Noise of the camera, the same on subject and background (premultiplied by alpha on the subject)."""
        noise = self.rng.normal(0, sigma, self.background.shape).astype(np.float32)
        self.background += noise
        self.colour += self.alpha[..., None] * noise


def _pieces(points: np.ndarray, width: float, tip: float) -> tuple[np.ndarray, np.ndarray]:
    """Cut a polyline into pieces of at most PIECE pixels; the width runs evenly from `width` to `tip`."""
    out = [points[:1]]
    for a, b in itertools.pairwise(points):
        n = max(int(np.ceil(np.hypot(*(b - a)) / PIECE)), 1)
        out.append(a + (b - a) * (np.arange(1, n + 1) / n)[:, None])
    cut = np.concatenate(out)
    return cut, np.linspace(width, tip, max(len(cut) - 1, 1))


def curve(start: np.ndarray, angle: float, length: float, bend: float, n: int = 12) -> np.ndarray:
    """[n,2] points from `start` in direction `angle` (radians), turning by `bend` radians over `length` pixels."""
    a = angle + bend * np.linspace(0, 1, n - 1)
    steps = np.stack((np.cos(a), np.sin(a)), 1) * (length / (n - 1))
    return np.concatenate((np.asarray(start, float)[None], start + steps.cumsum(0)))


def ellipse(centre: tuple[float, float], rx: float, ry: float, n: int = 96, turn: float = 0.0) -> np.ndarray:
    """[n,2] points of an ellipse turned by `turn` radians."""
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    x, y = rx * np.cos(t), ry * np.sin(t)
    c, s = np.cos(turn), np.sin(turn)
    return np.stack((centre[0] + c * x - s * y, centre[1] + s * x + c * y), 1)
