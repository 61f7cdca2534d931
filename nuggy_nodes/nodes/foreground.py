"""NuggyForeground: the subject's own colours at soft edges, and the background's, from a picture and its mask."""

from __future__ import annotations

import torch
from comfy_api.latest import io

from ..core.checks import match_batch
from ..core.foreground.split import layers
from ..core.ops.composite import rgba
from ..core.ops.resample import enlarge
from .compat import schema
from .device import Place
from .progress import Bar
from .tensors import from_image, mask_for, to_image

BYTES_PER_PIXEL = 140  # two layers, and the estimate's own work


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
        images = from_image(image)
        images, masks = match_batch(images, mask_for(images, mask), "image", "mask")
        place, bar, made = Place(images, BYTES_PER_PIXEL), Bar(len(images)), []
        for i, pair in enumerate(zip(images.split(1), masks.split(1))):
            bar(i, len(images))
            made.append(place.run(_apart, *pair))
        bar(len(images), len(images))
        return io.NodeOutput(*(torch.cat(part) for part in zip(*made)))


def _apart(image: torch.Tensor, mask: torch.Tensor) -> list[torch.Tensor]:
    """One picture's outputs."""
    alpha = enlarge(mask, *image.shape[-2:])
    front, behind = layers(image, alpha)
    return [to_image(x) for x in (front, behind, rgba(front, alpha))]
