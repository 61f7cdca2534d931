"""Tensors in, tensors out: everything that Nuggy computes. `pipeline.cutout` tells the whole story.

    from nuggy_nodes.core import cutout, load
    result = cutout(image, load(), "best")        # image: [B,3,H,W], 0..1

Names are imported when they are first asked for: settings and errors can be had without torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import ImageError, InputError, NuggyError, WeightsError
    from .foreground.estimate import estimate_foreground
    from .inpaint.paste_back import paste_back
    from .inpaint.prepare import Prepared, prepare_inpainting
    from .network.device import choose_device
    from .network.find import open_network
    from .network.precision import choose_precision
    from .network.protocol import AnyNetwork
    from .network.weights import Network, load
    from .pipeline import answer, cutout, look_again, look_once
    from .recipes import RECIPES, Recipe, recipe
    from .refine.temporal import steady_masks
    from .result import Cutout
    from .segment.guidance import Guidance
    from .segment.views import View

__all__ = [
    "RECIPES",
    "AnyNetwork",
    "Cutout",
    "Guidance",
    "ImageError",
    "InputError",
    "Network",
    "NuggyError",
    "Prepared",
    "Recipe",
    "View",
    "WeightsError",
    "answer",
    "choose_device",
    "choose_precision",
    "cutout",
    "estimate_foreground",
    "load",
    "look_again",
    "look_once",
    "open_network",
    "paste_back",
    "prepare_inpainting",
    "recipe",
    "steady_masks",
]

_PLACES = {
    "errors": ("ImageError", "InputError", "NuggyError", "WeightsError"),
    "foreground.estimate": ("estimate_foreground",),
    "inpaint.paste_back": ("paste_back",),
    "inpaint.prepare": ("Prepared", "prepare_inpainting"),
    "network.device": ("choose_device",),
    "network.find": ("open_network",),
    "network.protocol": ("AnyNetwork",),
    "network.precision": ("choose_precision",),
    "network.weights": ("Network", "load"),
    "pipeline": ("answer", "cutout", "look_again", "look_once"),
    "recipes": ("RECIPES", "Recipe", "recipe"),
    "refine.temporal": ("steady_masks",),
    "result": ("Cutout",),
    "segment.guidance": ("Guidance",),
    "segment.views": ("View",),
}
_HOME = {name: place for place, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value
