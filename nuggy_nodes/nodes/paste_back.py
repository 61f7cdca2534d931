"""NuggyPasteBack: the photograph's own subject over the background that a model has painted, at full size."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from comfy_api.latest import io
from torch import Tensor

from ..core.errors import InputError
from ..core.inpaint.crop import Crop
from ..core.inpaint.paste_back import check_painted, paste_back
from ..core.inpaint.prepare import Stitch as CoreStitch
from .compat import Stitch, schema
from .device import Place, nth
from .progress import Bar
from .tensors import from_image, to_image

BYTES_PER_PIXEL = 220  # two pictures in two layers each, and the estimates' own work


class NuggyPasteBack(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            "NuggyPasteBack",
            [Stitch.Input("stitch"), io.Image.Input("painted")],
            [io.Image.Output("picture"), io.Image.Output("background")],
            ["inpaint stitch", "crop and stitch", "uncrop", "restore subject", "composite inpaint"],
        )

    @classmethod
    def execute(cls, stitch: Any, painted: torch.Tensor) -> io.NodeOutput:
        if not isinstance(stitch, CoreStitch):
            raise InputError("stitch is not one of Nuggy Prepare Inpaint's; connect its third output")
        new = from_image(painted, "painted")
        count = check_painted(stitch, new)
        place, bar, made = Place(stitch.image, BYTES_PER_PIXEL), Bar(count), []
        for i in range(count):
            bar(i, count)
            crop = stitch.crop.frame(i)

            def work(image: Tensor, alpha: Tensor, mask: Tensor, one: Tensor, crop: Crop = crop) -> list[Tensor]:
                pasted = paste_back(replace(stitch, image=image, alpha=alpha, mask=mask, crop=crop), one)
                return [to_image(x) for x in pasted]

            made.append(place.run(work, *(nth(x, i) for x in (stitch.image, stitch.alpha, stitch.mask, new))))
        bar(count, count)
        return io.NodeOutput(*(torch.cat(part) for part in zip(*made)))
