"""NuggyForeground: the subject's own colours at soft edges, and the background's, from a picture and its mask."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from ..core.checks import match_batch
from ..core.composite import rgba
from ..core.guided import enlarge
from ..core.layers import layers
from .compat import advanced, schema, wrong_choice
from .progress import Bar
from .tensors import from_image, from_mask, to_image

METHODS = ["multilevel", "blur-fusion"]


class NuggyForeground(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            "NuggyForeground",
            [
                io.Image.Input("image"),
                io.Mask.Input("mask"),
                advanced(io.Combo.Input("method", options=METHODS, default="multilevel")),
            ],
            [io.Image.Output("foreground"), io.Image.Output("background"), io.Image.Output("rgba")],
            ["foreground estimation", "decontaminate", "defringe", "remove halo", "edge colour", "colour spill"],
        )

    @classmethod
    def validate_inputs(cls, method: Any = None) -> bool | str:
        return wrong_choice(cls, method=method) or True

    @classmethod
    def execute(cls, image: torch.Tensor, mask: torch.Tensor, method: str) -> io.NodeOutput:
        colours = from_image(image)
        alpha = enlarge(from_mask(mask).to(colours.device), *colours.shape[-2:])
        colours, alpha = match_batch(colours, alpha, "image", "mask")
        bar, made = Bar(len(colours)), []
        for i, (one, matte) in enumerate(zip(colours.split(1), alpha.split(1))):
            bar(i, len(colours))
            front, behind = layers(one, matte, method)
            made.append([to_image(x) for x in (front, behind, rgba(front, matte))])
        bar(len(colours), len(colours))
        return io.NodeOutput(*(torch.cat(part) for part in zip(*made)))
