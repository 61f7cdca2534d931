"""The learned refinement: what a small network, trained on hair, meshes and edges, adds to the guided filter.

It sees the photograph at its own resolution, tile by tile, and only where the coarse mask was in doubt: its change is
scaled by that doubt, so that it can neither take a body away nor bring one where the mask was sure.
"""

from __future__ import annotations

import threading
from functools import lru_cache

import torch
from torch import Tensor

from ..ops.cells import in_pixels
from ..ops.thread_pool import for_each
from ..ops.tiles import Window, bounds, even_tiles
from ..shipped import load_shipped
from .learned_features import LATTICE, features, local_colours
from .learned_network import STEP, Refiner
from .learned_precision import best_dtype

NAME = "refiner.safetensors"
TILE, GPU_TILE, MARGIN = 640, 2048, 48  # pixels; multiples of the network's step and of the lattice
CELL = 16  # pixels: of the coarser lattice, and a multiple of the network's step
REACH = 96  # pixels, a multiple of CELL: from farther no colour counts
NOTHING = 1 / 255  # from 0 and 1: less is rounding of the network's, and would have colours of its own
GATE = 2.0  # doubt from 1 / GATE on counts whole
LARGE = (1024, 2048)  # pixels of the longer side: from the first on a cell of the coarse mask is wider than an edge
_lock = threading.Lock()


def refine_learned(
    image: Tensor,
    coarse: Tensor,
    alpha: Tensor,
    doubt: Tensor,
    strength: float = 1.0,
    full: float = 1.0,
    network: Refiner | None = None,
) -> Tensor:
    """Correct a filtered mask where the photograph shows more than the coarse mask could.

    A small subject's edges the coarse mask's grid tells well enough, unless the photograph is LARGE.

    Args:
        image: the photograph [1,3,H,W], 0..1.
        coarse: the mask before the guided filter [1,1,H,W].
        alpha: the mask after it [1,1,H,W].
        doubt: how far the coarse mask needs the photograph [1,1,H,W], 0..1 (refine.doubt); 0 keeps alpha, bit for bit.
        strength: share of the network's change that is made, 0..1.
        full: how far the subject fills the photograph, 0..1 (refine.fullness); below 1 less is changed in a small one.
        network: another one than the shipped.

    Returns:
        The mask [1,1,H,W], 0..1, float32; `alpha` itself where nothing changes.

    Raises:
        WeightsError: the shipped network is missing or damaged.
    """
    large = min(max((max(alpha.shape[-2:]) - LARGE[0]) / (LARGE[1] - LARGE[0]), 0.0), 1.0)
    strength *= full + (1 - full) * large
    window = bounds(doubt[0, 0] > 0, REACH) if strength > 0 else None
    if window is None:
        return alpha
    top, bottom, left, right = window
    here = (..., slice(top // CELL * CELL, bottom), slice(left // CELL * CELL, right))
    out = alpha.clone()
    _correct(out[here], image[here], coarse[here], alpha[here], doubt[here], strength, network)
    return out


def _correct(
    out: Tensor, image: Tensor, coarse: Tensor, alpha: Tensor, doubt: Tensor, strength: float, network: Refiner | None
) -> None:
    """The correction of a window, into `out`, which holds alpha."""
    refiner = network or load_refiner(str(alpha.device))
    local = local_colours(image, alpha)
    height, width = alpha.shape[-2:]

    def one(tile: Window) -> None:
        found = bounds(doubt[0, 0, tile[0] : tile[1], tile[2] : tile[3]] > 0)
        if found is None:
            return
        top, left = tile[0] + found[0] // STEP * STEP, tile[2] + found[2] // STEP * STEP  # on the network's cells
        bottom = min(tile[0] - -found[1] // STEP * STEP, tile[1])
        right = min(tile[2] - -found[3] // STEP * STEP, tile[3])
        gate = doubt[..., top:bottom, left:right]
        y, x = max(top - MARGIN, 0), max(left - MARGIN, 0)
        below, beyond = min(bottom + MARGIN, height), min(right + MARGIN, width)
        window = (..., slice(y, below), slice(x, beyond))
        near = in_pixels(local, LATTICE, (y, below, x, beyond))
        shown = features(image[window].float(), coarse[window].float(), alpha[window], near)
        change = refiner(shown)[..., top - y : bottom - y, left - x : right - x]
        old = out[..., top:bottom, left:right]
        step = (GATE * gate).clamp_(max=1).mul_(strength).mul_(change)
        new = (old + step).clamp_(0, 1)
        new = torch.threshold_(torch.threshold_(new, NOTHING, 0).neg_(), NOTHING - 1, -1).neg_()  # 1 likewise
        old.lerp_(new, step.ne_(0))  # to the bit, one or the other; a choice by truth values takes four times as long

    if alpha.device.type == "cpu":  # convolutions of so few channels are too small to be shared out among threads
        for_each(one, even_tiles(height, width, (TILE, TILE), CELL))
    else:
        for tile in even_tiles(height, width, (GPU_TILE, GPU_TILE), CELL):
            one(tile)


@lru_cache(maxsize=4)
def load_refiner(device: str = "cpu") -> Refiner:
    """The shipped network on a device, read once.

    Args:
        device: of torch, by name.

    Returns:
        The network in evaluation mode, in the arithmetic that the device does best (learned_precision.py).

    Raises:
        WeightsError: missing or damaged.
    """
    with _lock:
        network = load_shipped(NAME, Refiner)
        return network.to(device, best_dtype(network, torch.device(device)))
