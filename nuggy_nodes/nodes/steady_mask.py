"""NuggySteadyMask: masks of a video stop flickering where the picture stands still."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from ..core.errors import InputError
from ..core.ops.resample import enlarge
from ..core.refine.temporal import steady_masks
from ..core.settings import FRAMES
from .compat import advanced, schema, wrong_choice
from .device import Place
from .progress import Bar
from .tensors import from_image, mask_for, to_mask

BYTES_PER_PIXEL = 60  # of each frame that has a say


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
        pictures = from_image(image)
        masks = mask_for(pictures, mask)
        if len(pictures) != len(masks):
            raise InputError(f"image has {len(pictures)} frames and mask {len(masks)}; give a mask for every frame")
        place, bar = Place(pictures, BYTES_PER_PIXEL, int(frames)), Bar(len(pictures))

        def steadied() -> list[torch.Tensor]:
            """Frame after frame on the place's device; only those that have a say are there at a time."""
            moved = (x.to(place.device) for pair in zip(pictures.split(1), masks.split(1)) for x in pair)
            pairs = ((p, enlarge(m, *p.shape[-2:])) for p, m in zip(moved, moved))
            out = []
            for i, made in enumerate(steady_masks(pairs, int(frames), tolerance)):
                bar(i, len(pictures))
                out.append(to_mask(made))
            return out

        found = place.run(steadied)
        bar(len(pictures), len(pictures))
        return io.NodeOutput(torch.cat(found))
