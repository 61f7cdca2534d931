"""GuidedFilterRefine: a mask takes its edges from the photograph, at the photograph's size; then levels."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from ..core.checks import match_batch
from ..core.refine.refine import refine
from .compat import intermediate, schema, wrong_choice
from .device import on_best_device
from .progress import Bar
from .settings import AS_THE_MASK, carried, carry, effective, recipe_input, setting_input
from .tensors import from_image, from_mask

BYTES_PER_PIXEL = 160  # the colour guide's statistics, 13 planes of float32 and their means


class GuidedFilterRefine(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        old = ("radius", "black", "white", "gamma", "guide", "epsilon")
        return schema(
            "GuidedFilterRefine",
            [
                io.Image.Input("image"),
                io.Mask.Input("mask"),
                *(setting_input(name) for name in old),
                setting_input("passes", optional=True),
                recipe_input(),
            ],
            [io.Mask.Output("refined_mask")],
            ["guided filter", "refine mask", "refine edges", "hair", "mask upsampling", "feather", "matting", "levels"],
        )

    @classmethod
    def validate_inputs(cls, black: Any = None, white: Any = None, guide: Any = None, recipe: Any = None) -> bool | str:
        given = [v for v in (black, white) if isinstance(v, (int, float))]  # a value that is linked comes later
        if any(not 0 <= v <= 1 for v in given) or (len(given) == 2 and not given[0] < given[1]):
            return f"black must be below white, both from 0 to 1; got black {black} and white {white}"
        return wrong_choice(cls, guide=guide, recipe=recipe) or True

    @classmethod
    def execute(
        cls, image: torch.Tensor, mask: torch.Tensor, recipe: str = AS_THE_MASK, **settings: Any
    ) -> io.NodeOutput:
        wanted = effective(mask, recipe, settings).part("edge")
        images, masks = match_batch(from_image(image), from_mask(mask), "image", "mask")
        bar, out = Bar(len(images)), []
        for i, pair in enumerate(zip(images.split(1), masks.split(1))):
            bar(i, len(images))
            alpha = on_best_device(lambda one, coarse: refine(one, coarse, **wanted), *pair, each=BYTES_PER_PIXEL)
            out.append(intermediate(alpha[:, 0]))
        bar(len(images), len(images))
        return io.NodeOutput(carry(torch.cat(out), carried(mask, recipe)))
