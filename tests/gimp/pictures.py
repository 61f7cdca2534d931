"""The tests' pictures, and what the core itself says of them: the oracle."""

from __future__ import annotations

import functools

import numpy as np
import torch
from PIL import Image
from skimage import data

from nuggy_nodes.core import Guidance, choose_device, choose_precision, cutout, estimate_foreground, load, recipe


def cat(width: int = 300, height: int = 240) -> np.ndarray:
    """A photograph with fur and whiskers, [H,W,3] uint8 (skimage's chelsea, CC0)."""
    return _resized(data.chelsea(), width, height)


def astronaut(width: int = 300, height: int = 240) -> np.ndarray:
    """Another one (skimage's, NASA, public domain)."""
    return _resized(data.astronaut(), width, height)


def _resized(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))


def large() -> np.ndarray:
    """12 megapixels."""
    return cat(4000, 3000)


@functools.cache
def network():
    device = choose_device()
    return load(None, device, choose_precision(device))


_known: dict[tuple, np.ndarray] = {}


def oracle(pixels: np.ndarray, opacity: np.ndarray | None = None, which: str = "fast", **changes) -> np.ndarray:
    """The core's alpha [H,W] for [H,W,3] or [H,W], uint8 or float 0..1. Transparent parts are shown as grey."""
    key = (pixels.tobytes(), pixels.shape, None if opacity is None else opacity.tobytes(), which, str(changes))
    if key not in _known:
        x = pixels / np.float32(255) if pixels.dtype == np.uint8 else pixels
        x = x if x.ndim == 3 else np.repeat(x[..., None], 3, 2)
        x = torch.from_numpy(x.astype(np.float32)).permute(2, 0, 1)[None].contiguous()
        if opacity is not None:
            have = torch.from_numpy(opacity / np.float32(255))[None, None]
            x = torch.lerp(torch.full_like(x, 0.5), x, have)
        _known[key] = cutout(x, network(), recipe(which, **changes)).alpha[0, 0].numpy()
    return _known[key]


def guided(
    pixels: np.ndarray, boxes: tuple = (), which: str = "fast", uncertainty: float | None = None, **planes: np.ndarray
) -> np.ndarray:
    """The core's alpha [H,W] for [H,W,3] uint8 under guidance; planes [H,W] uint8 by Guidance's names."""
    x = torch.from_numpy(pixels / np.float32(255)).permute(2, 0, 1)[None].contiguous()
    said = {name: torch.from_numpy(p / np.float32(255))[None, None] for name, p in planes.items()}
    return (
        cutout(x, network(), which, guidance=Guidance(boxes=boxes, uncertainty=uncertainty, **said)).alpha[0, 0].numpy()
    )


def own_colours(pixels: np.ndarray, opacity: np.ndarray | None = None, method: str = "multilevel") -> np.ndarray:
    """The core's colours [H,W,3] of the cut-out of an 8-bit picture."""
    x = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2)
    image = torch.from_numpy(x / np.float32(255)).permute(2, 0, 1)[None]
    alpha = torch.from_numpy(oracle(pixels, opacity))[None, None]
    have = None if opacity is None else torch.from_numpy(opacity / np.float32(255))[None, None]
    alpha = alpha if have is None else torch.minimum(alpha, have)
    return estimate_foreground(image, alpha, method, opacity=have)[0].permute(1, 2, 0).numpy()


def bytes_of(alpha: np.ndarray) -> np.ndarray:
    """In 8 bits, as integers that can be subtracted."""
    return np.round(alpha * 255).astype(int)
