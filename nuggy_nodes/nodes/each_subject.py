"""NuggyEachSubject: every connected part of a mask as a mask of its own, with its picture."""

from __future__ import annotations

import torch
from comfy_api.latest import io
from torch import Tensor

from ..core.checks import match_batch
from ..core.ops.resample import enlarge
from ..core.segment.each import each_part
from .compat import schema
from .progress import Bar
from .tensors import from_image, mask_for, to_image, to_mask


class NuggyEachSubject(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            "NuggyEachSubject",
            [io.Image.Input("image"), io.Mask.Input("mask")],
            [io.Image.Output("images"), io.Mask.Output("masks"), io.Int.Output("count")],
            ["several subjects", "split mask", "separate masks", "instances", "connected components"],
        )

    @classmethod
    def execute(cls, image: Tensor, mask: Tensor) -> io.NodeOutput:
        images = from_image(image)
        images, masks = match_batch(images, mask_for(images, mask), "image", "mask")
        bar, pictures, parts = Bar(len(images)), list[Tensor](), list[Tensor]()
        for i, (one, matte) in enumerate(zip(images.split(1), masks.split(1))):
            bar(i, len(images))
            found = each_part(enlarge(matte, *one.shape[-2:]))
            parts += [to_mask(part) for part in found]
            pictures += [to_image(one)] * len(found)
        bar(len(images), len(images))
        return io.NodeOutput(torch.cat(pictures), torch.cat(parts), len(parts))
