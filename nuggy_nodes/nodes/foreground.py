"""NuggyForeground: the subject's own colours at soft edges, and the background's, from a picture and its mask."""

from __future__ import annotations

import torch
from comfy_api.latest import io

from ..core.checks import match_batch
from ..core.foreground.split import layers
from ..core.ops.composite import rgba
from ..core.ops.resample import enlarge
from .compat import schema
from .progress import Bar
from .tensors import from_image, from_mask, to_image


class NuggyForeground(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            "NuggyForeground",
            [
                io.Image.Input("image"),
                io.Mask.Input("mask"),
            ],
            [io.Image.Output("foreground"), io.Image.Output("background"), io.Image.Output("rgba")],
            ["foreground estimation", "decontaminate", "defringe", "remove halo", "edge colour", "colour spill"],
        )

    @classmethod
    def execute(cls, image: torch.Tensor, mask: torch.Tensor) -> io.NodeOutput:
        colours = from_image(image)
        alpha = enlarge(from_mask(mask).to(colours.device), *colours.shape[-2:])
        colours, alpha = match_batch(colours, alpha, "image", "mask")
        bar, made = Bar(len(colours)), []
        for i, (one, matte) in enumerate(zip(colours.split(1), alpha.split(1))):
            bar(i, len(colours))
            front, behind = layers(one, matte)
            made.append([to_image(x) for x in (front, behind, rgba(front, matte))])
        bar(len(colours), len(colours))
        return io.NodeOutput(*(torch.cat(part) for part in zip(*made)))
