"""NuggyAdjustMask: a mask a little larger, smaller, softer or turned round, and as a picture."""

from __future__ import annotations

import torch
from comfy_api.latest import io
from torch import Tensor

from ..core.refine.edge import adjust_edge
from .compat import schema
from .device import Place
from .progress import Bar
from .settings import CARRIED, carry, setting_input
from .tensors import from_mask, to_image, to_mask

BYTES_PER_PIXEL = 60


class NuggyAdjustMask(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            "NuggyAdjustMask",
            [
                io.Mask.Input("mask"),
                *(setting_input(name) for name in ("shift_edge", "feather")),
                io.Boolean.Input("invert", default=False),
            ],
            [io.Mask.Output("adjusted_mask"), io.Image.Output("picture")],
            ["grow mask", "shrink mask", "expand mask", "erode", "dilate", "blur mask", "feather mask", "invert mask",
             "mask to image"],
        )  # fmt: skip

    @classmethod
    def execute(cls, mask: Tensor, shift_edge: float, feather: float, invert: bool) -> io.NodeOutput:
        masks = from_mask(mask)
        place, bar, made = Place(masks, BYTES_PER_PIXEL), Bar(len(masks)), []

        def work(one: Tensor) -> Tensor:
            adjusted = adjust_edge(one, shift_edge=shift_edge, feather=feather)
            return 1 - adjusted if invert else adjusted

        for i, one in enumerate(masks.split(1)):
            bar(i, len(masks))
            adjusted = place.run(work, one)
            made.append((to_mask(adjusted), to_image(adjusted.expand(-1, 3, -1, -1))))
        bar(len(masks), len(masks))
        found, pictures = (torch.cat(part) for part in zip(*made))
        return io.NodeOutput(carry(found, None if invert else getattr(mask, CARRIED, None)), pictures)
