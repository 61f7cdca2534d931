"""NuggySteadyMask: masks of a video stop flickering where the picture stands still."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from ..core.errors import InputError
from ..core.ops.resample import enlarge
from ..core.refine.temporal import FRAMES, steady_masks
from .compat import advanced, schema, wrong_choice
from .progress import Bar
from .tensors import from_image, from_mask, to_mask


class NuggySteadyMask(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            "NuggySteadyMask",
            [
                io.Image.Input("image"),
                io.Mask.Input("mask"),
                io.Combo.Input("frames", options=[str(n) for n in FRAMES], default="3"),
                advanced(io.Float.Input("tolerance", default=0.06, min=0.005, max=1.0, step=0.005)),
            ],
            [io.Mask.Output("steady_mask")],
            ["temporal smoothing", "video mask", "flicker", "deflicker", "median filter"],
        )

    @classmethod
    def validate_inputs(cls, frames: Any = None) -> bool | str:
        return wrong_choice(cls, frames=frames) or True

    @classmethod
    def execute(cls, image: torch.Tensor, mask: torch.Tensor, frames: str, tolerance: float) -> io.NodeOutput:
        pictures, masks = from_image(image), from_mask(mask)
        if len(pictures) != len(masks):
            raise InputError(f"image has {len(pictures)} frames and mask {len(masks)}; give a mask for every frame")
        masks, bar, out = masks.to(pictures.device), Bar(len(pictures)), []
        pairs = ((p, enlarge(m, *p.shape[-2:])) for p, m in zip(pictures.split(1), masks.split(1)))
        for i, made in enumerate(steady_masks(pairs, int(frames), tolerance)):
            bar(i, len(pictures))
            out.append(to_mask(made))
        bar(len(pictures), len(pictures))
        return io.NodeOutput(torch.cat(out))
