"""NuggyPasteBack: the photograph's own subject over the background that a model has painted, at full size."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from ..core.errors import InputError
from ..core.inpaint.paste_back import paste_back
from ..core.inpaint.prepare import Stitch as CoreStitch
from .compat import Stitch, schema
from .progress import Bar
from .tensors import from_image, to_image


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
        made = paste_back(stitch, from_image(painted, "painted"), Bar(max(len(stitch.image), len(painted))))
        return io.NodeOutput(*(to_image(x) for x in made))
