"""NuggyTTAMask: the network looks at each photograph in several views and says where the subject is."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from ..core.errors import InputError
from ..core.recipes import ELSEWHERE, RECIPES, SETTINGS
from ..core.segment.views import View, parse_view
from .compat import Model, advanced, intermediate, schema, wrong_choice
from .network import ManagedNetwork
from .progress import Bar
from .settings import carry
from .tensors import from_image

CUSTOM, AUTO = "custom", "auto"
CHOICES = ["fast", "balanced", "best", CUSTOM]


def choose(views: str, combine: str, custom: str) -> tuple[tuple[View, ...], str, int]:
    """The node's choices as the core's views, method of combining them, and looks. Raises InputError."""
    recipe = RECIPES["balanced" if views == CUSTOM else views]
    shown = tuple(parse_view(v) for v in custom.replace(",", " ").split()) if views == CUSTOM else recipe.views
    if not shown:
        raise InputError("custom views are empty; write at least one, for example: 1024 1024f")
    return shown, recipe.combine if combine == AUTO else combine, recipe.looks


class NuggyTTAMask(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            "NuggyTTAMask",
            [
                Model.Input("model"),
                io.Image.Input("image"),
                io.Combo.Input("views", options=CHOICES, default="balanced"),
                advanced(io.Combo.Input("combine", options=[AUTO, *SETTINGS["combine"].choices], default=AUTO)),
                advanced(io.String.Input("custom_views", default="1024 1024f")),
                advanced(io.Int.Input("chunk", default=0, min=0, max=64, step=1)),
            ],
            [io.Mask.Output("mask")],
            ["remove background", "cut out", "subject mask", "matting", "test-time augmentation", "segment", "rembg"],
        )

    @classmethod
    def validate_inputs(cls, views: Any = None, combine: Any = None, custom_views: Any = None) -> bool | str:
        try:
            if isinstance(custom_views, str) and views == CUSTOM:
                choose(CUSTOM, AUTO, custom_views)
        except InputError as e:
            return str(e)
        return wrong_choice(cls, views=views, combine=combine) or True

    @classmethod
    def execute(
        cls, model: Any, image: torch.Tensor, views: str, combine: str, custom_views: str, chunk: int
    ) -> io.NodeOutput:
        model = ManagedNetwork.of(model)
        chosen = choose(views, combine, custom_views)
        if not model.measured:
            own = ELSEWHERE[views] if views != CUSTOM else chosen[0]
            chosen = own, "majority" if combine == AUTO else combine, chosen[2]
        bar, out = Bar(len(image)), []
        for mask in model.masks(from_image(image), *chosen, chunk, bar):
            out.append(intermediate(mask[:, 0]))
            bar.show(mask[-1, 0])
        return io.NodeOutput(carry(torch.cat(out), None if views == CUSTOM else views))
