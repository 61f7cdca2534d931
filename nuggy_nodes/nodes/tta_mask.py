"""NuggyTTAMask: the network looks at each photograph in several views and says where the subject is."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io
from torch import Tensor

from ..core.around import ELSEWHERE
from ..core.errors import InputError
from ..core.recipes import RECIPES, SETTINGS, recipe
from ..core.segment.views import View, parse_view
from .compat import Model, advanced, intermediate, schema, wrong_choice
from .guided import GUIDES, answers, guidance
from .network import ManagedNetwork
from .progress import Bar, note_empty
from .settings import USUAL, carry, finish
from .tensors import from_image

CUSTOM, AUTO = "custom", "auto"
CHOICES = ["fast", "balanced", "best", CUSTOM]


def choose(views: str, combine: str, custom: str) -> tuple[tuple[View, ...], str, int]:
    """The node's choices in the core's words.

    Args:
        views: one of CHOICES.
        combine: "auto" for the recipe's, or a word.
        custom: views as text, for "custom".

    Returns:
        Views, how they are combined, and looks.

    Raises:
        InputError: custom views that are empty or no views.
    """
    named = RECIPES["balanced" if views == CUSTOM else views]
    shown = tuple(parse_view(v) for v in custom.replace(",", " ").split()) if views == CUSTOM else named.views
    if not shown:
        raise InputError("custom views are empty; write at least one, for example: 1024 1024f")
    return shown, named.combine if combine == AUTO else combine, named.looks


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
                io.Mask.Input("guide_mask", optional=True),
                io.Mask.Input("keep", optional=True),
                io.Mask.Input("drop", optional=True),
                io.Mask.Input("unsure", optional=True),
                io.Combo.Input("guide_as", options=list(GUIDES), default="mask", optional=True),
            ],
            [io.Mask.Output("mask")],
            ["remove background", "cut out", "subject mask", "matting", "test-time augmentation", "segment", "rembg"],
        )

    @classmethod
    def validate_inputs(
        cls, views: Any = None, combine: Any = None, custom_views: Any = None, guide_as: Any = None
    ) -> bool | str:
        try:
            if isinstance(custom_views, str) and views == CUSTOM:
                choose(CUSTOM, AUTO, custom_views)
        except InputError as e:
            return str(e)
        return wrong_choice(cls, views=views, combine=combine, guide_as=guide_as) or True

    @classmethod
    def execute(
        cls, model: Any, image: Tensor, views: str, combine: str, custom_views: str, chunk: int,
        guide_as: str = GUIDES[0], **marks: Tensor | None,
    ) -> io.NodeOutput:  # fmt: skip
        model = ManagedNetwork.of(model)
        chosen = choose(views, combine, custom_views)
        if not model.measured:
            own = ELSEWHERE[views] if views != CUSTOM else chosen[0]
            chosen = own, "majority" if combine == AUTO else combine, chosen[2]
        images, name = from_image(image), None if views == CUSTOM else views
        bar, out = Bar(len(image)), []
        said = guidance(images, guide_as, marks) if marks else []
        if any(said):
            found = answers(model, images, said, recipe(name or USUAL.name), *chosen, chunk, bar)
        else:
            found = model.masks(images, *chosen, chunk, bar)
        for mask in found:
            out.append(intermediate(mask[:, 0]))
            bar.show(mask[-1, 0])
        masks = carry(torch.cat(out), name)
        return io.NodeOutput(finish(masks) if any(said) else masks, ui=note_empty(masks, "nothing was found"))
