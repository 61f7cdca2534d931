"""GuidedFilterRefine: a mask takes its edges from the photograph, at the photograph's size; then levels."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from ..core.checks import match_batch
from ..core.pipeline import refine
from ..core.recipes import RECIPES, recipe
from .compat import advanced, intermediate, schema, wrong_choice
from .device import on_best_device
from .progress import Bar
from .tensors import from_image, from_mask

USUAL = RECIPES["balanced"]
BYTES_PER_PIXEL = 160  # the colour guide's statistics, 13 planes of float32 and their means


class GuidedFilterRefine(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        point = {"min": 0.0, "max": 1.0, "step": 0.01}
        return schema(
            "GuidedFilterRefine",
            [
                io.Image.Input("image"),
                io.Mask.Input("mask"),
                io.Float.Input("radius", default=USUAL.radius, min=0.5, max=128, step=0.5),
                io.Float.Input("black", default=USUAL.black, **point),
                io.Float.Input("white", default=USUAL.white, **point),
                advanced(io.Float.Input("gamma", default=USUAL.gamma, min=0.1, max=4.0, step=0.05)),
                advanced(io.Combo.Input("guide", options=["colour", "grey", "none"], default=USUAL.guide)),
                advanced(io.Float.Input("epsilon", default=USUAL.epsilon, min=1e-6, max=1.0, step=1e-5, round=1e-6)),
                # younger than the node: optional, so that a prompt that was stored without it still runs
                advanced(io.Int.Input("passes", default=USUAL.passes, min=1, max=3, step=1, optional=True)),
            ],
            [io.Mask.Output("refined_mask")],
            ["guided filter", "refine mask", "refine edges", "hair", "mask upsampling", "feather", "matting", "levels"],
        )

    @classmethod
    def validate_inputs(cls, black: Any = None, white: Any = None, guide: Any = None) -> bool | str:
        given = [v for v in (black, white) if isinstance(v, (int, float))]  # a value that is linked comes later
        if any(not 0 <= v <= 1 for v in given) or (len(given) == 2 and not given[0] < given[1]):
            return f"black must be below white, both from 0 to 1; got black {black} and white {white}"
        return wrong_choice(cls, guide=guide) or True

    @classmethod
    def execute(cls, image: torch.Tensor, mask: torch.Tensor, **settings: Any) -> io.NodeOutput:
        wanted = recipe(USUAL, **settings)
        images, masks = match_batch(from_image(image), from_mask(mask), "image", "mask")
        bar, out = Bar(len(images)), []
        for i, pair in enumerate(zip(images.split(1), masks.split(1))):
            bar(i, len(images))
            alpha = on_best_device(lambda one, coarse: refine(one, coarse, wanted), *pair, each=BYTES_PER_PIXEL)
            out.append(intermediate(alpha[:, 0]))
        bar(len(images), len(images))
        return io.NodeOutput(torch.cat(out))
