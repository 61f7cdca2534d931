"""Steps of IS-Net's maps in 8 bits (eight_bit.py), found once for given weights from a few dozen photographs.

A channel's step is that of the least mean square error among clipped ranges, drawn towards the map's coarsest channel
by EVEN: weights carry the inverse of the maps' steps, and what the one gains in resolution the other loses (Xiao et
al., "SmoothQuant", ICML 2023, of which this is the form for a step a channel on both sides). EVEN was chosen among
0, .3, .5, .6, .7 and 1 by the mask's mean difference from float32's on photographs that the steps were not found on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .eight_bit import map_names
from .isnet import ISNet
from .metadata import STRIDE, Info
from .protocol import normalised

EVEN = 0.6
SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.42, 0.35, 0.3, 0.25)  # of a channel's maximum, that 255 steps may reach to
SIDES = (1.0, 0.75, 0.625)  # of the network's own, photograph by photograph: the recipes look at several sizes
SAMPLES = 512  # pixels of a map and photograph
FINEST = 1 / 256  # of the map's coarsest step


def calibrate(model: ISNet, squares: Iterable[Tensor]) -> dict[str, Tensor]:
    """Find the steps of every map that needs them (eight_bit.map_names).

    Args:
        model: the network in floating point.
        squares: photographs [1,3,n,n], normalised as the weights ask, in the model's dtype; at least one.

    Returns:
        By name of the map, steps [C], float32.
    """
    highest, some = dict[str, Tensor](), defaultdict[str, list[Tensor]](list)

    def watch(name: str, module: nn.Module) -> torch.utils.hooks.RemovableHandle:
        def seen(_: nn.Module, __: tuple[Tensor, ...], answer: Tensor) -> None:
            values = answer[0].flatten(1)
            top = values.amax(1).float()
            highest[name] = torch.maximum(highest.get(name, top), top)
            at = torch.randint(0, values.shape[1], (SAMPLES,), generator=torch.Generator().manual_seed(1))
            some[name].append(values[:, at].float())

        return module.register_forward_hook(seen)

    hooks = [watch(name, model.get_submodule(name)) for name in map_names(model)]
    try:
        with torch.inference_mode():
            for square in squares:
                model(square.contiguous(memory_format=torch.channels_last))
    finally:
        for hook in hooks:
            hook.remove()
    return {name: _even(_step(torch.cat(some[name], 1), highest[name])) for name in highest}


def squares(pictures: Iterable[Tensor], info: Info) -> Iterator[Tensor]:
    """Photographs as the network is shown them, at one of SIDES in turn.

    Args:
        pictures: [1,3,H,W], values 0..1.
        info: what the weights ask for.

    Returns:
        Squares [1,3,n,n], normalised.
    """
    for i, picture in enumerate(pictures):
        side = round(info.size * SIDES[i % len(SIDES)] / STRIDE) * STRIDE
        square = F.interpolate(picture.float(), size=(side, side), mode="bilinear", antialias=True)
        yield normalised(square, info)


def _step(values: Tensor, highest: Tensor) -> Tensor:
    """The step [C] of least mean square error for values [C,N], none negative."""
    best, least = torch.ones_like(highest), torch.full_like(highest, torch.inf)
    for share in SHARES:
        step = (highest * share / 255).clamp(min=1e-8)
        whole = (values / step[:, None]).round_().clamp_(0, 255)
        error = (whole * step[:, None] - values).square().mean(1)
        best, least = torch.where(error < least, step, best), torch.minimum(error, least)
    return best


def _even(step: Tensor) -> Tensor:
    coarsest = step.amax()
    return step.clamp(min=float(coarsest) * FINEST).pow(EVEN) * coarsest.pow(1 - EVEN)
