"""Tensors in, tensors out: everything that Nuggy computes. `pipeline.cutout` tells the whole story.

from nuggy_nodes.core import cutout, load
result = cutout(image, load(), "best")        # image: [B,3,H,W], 0..1
"""

from .errors import ImageError, InputError, NuggyError, WeightsError
from .foreground import estimate_foreground
from .inpainting import Prepared, prepare_inpainting
from .pasteback import paste_back
from .pipeline import Cutout, cutout
from .precision import choose_precision
from .predict import View, choose_device
from .recipes import RECIPES, Recipe, recipe
from .temporal import steady_masks
from .weights import Network, load

__all__ = [
    "RECIPES",
    "Cutout",
    "ImageError",
    "InputError",
    "Network",
    "NuggyError",
    "Prepared",
    "Recipe",
    "View",
    "WeightsError",
    "choose_device",
    "choose_precision",
    "cutout",
    "estimate_foreground",
    "load",
    "paste_back",
    "prepare_inpainting",
    "recipe",
    "steady_masks",
]
