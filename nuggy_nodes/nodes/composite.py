"""Composite: subject over a colour or a picture, as a cut-out with transparency, and both masks at their right size."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from ..core.checks import match_batch
from ..core.errors import InputError
from ..core.foreground.estimate import estimate_foreground
from ..core.ops.colour import colour_plane, parse_colour
from ..core.ops.composite import fit, over, rgba
from ..core.ops.resample import enlarge
from ..core.recipes import SETTINGS
from .compat import colour_input, schema, wrong_choice
from .progress import Bar
from .settings import setting_input
from .tensors import from_image, from_mask, to_image, to_mask


class Composite(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            "Composite",
            [
                io.Image.Input("image"),
                io.Mask.Input("mask"),
                io.Image.Input("background", optional=True),
                colour_input("colour", "#ffffff"),
                io.Combo.Input("fit", options=["cover", "contain", "stretch"], default="cover"),
                setting_input("foreground"),
            ],
            [
                io.Image.Output("picture"),
                io.Image.Output("rgba"),
                io.Mask.Output("subject_mask"),
                io.Mask.Output("background_mask"),
            ],
            ["replace background", "change background", "cut out", "transparent", "rgba", "alpha over", "overlay"],
        )

    @classmethod
    def validate_inputs(cls, colour: Any = None, fit: Any = None, foreground: Any = None) -> bool | str:
        try:
            if isinstance(colour, str):
                parse_colour(colour)
        except InputError as e:
            return str(e)
        return wrong_choice(cls, fit=fit, foreground=foreground) or True

    @classmethod
    def execute(cls, image: torch.Tensor, mask: torch.Tensor, colour: str, fit: str, foreground: str,
                background: torch.Tensor | None = None) -> io.NodeOutput:  # fmt: skip
        colours = from_image(image)
        alpha = enlarge(from_mask(mask).to(colours.device), *colours.shape[-2:])
        behind = backdrop(background, colour, fit, colours)
        method = SETTINGS["foreground"].check(foreground)
        colours, alpha = match_batch(colours, alpha, "image", "mask")
        match_batch(colours, behind, "image", "background")  # refused before any work
        colours, behind = match_batch(own_colours(colours, alpha, method), behind, "image", "background")
        alpha, _ = match_batch(alpha, colours, "mask", "background")
        picture, cut = over(colours, alpha, behind), rgba(colours, alpha)
        return io.NodeOutput(to_image(picture), to_image(cut), to_mask(alpha), to_mask(1 - alpha))


def own_colours(images: torch.Tensor, alpha: torch.Tensor, method: str) -> torch.Tensor:
    """The subject's colours, picture by picture, with progress; ComfyUI's Cancel ends it between two pictures."""
    bar, out = Bar(len(images)), []
    for i, (image, matte) in enumerate(zip(images.split(1), alpha.split(1))):
        bar(i, len(images))
        out.append(estimate_foreground(image, matte, method))
    bar(len(images), len(images))
    return torch.cat(out)


def backdrop(background: torch.Tensor | None, colour: str, how: str, like: torch.Tensor) -> torch.Tensor:
    """What stands behind: the background picture fitted to the frame of `like` [B,3,H,W], else a plane of colour."""
    if background is None:
        return colour_plane(parse_colour(colour), like)
    height, width = like.shape[-2:]
    return fit(from_image(background, "background").to(like), height, width, how)
