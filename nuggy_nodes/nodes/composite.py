"""NuggyComposite: subject over a colour or a picture, as a cut-out with transparency, and both masks, each by name."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from comfy_api.latest import io
from torch import Tensor

from ..core.checks import match_batch
from ..core.errors import InputError
from ..core.foreground.estimate import estimate_foreground
from ..core.ops.colour import colour_plane, parse_rgba
from ..core.ops.composite import fit, over, over_transparent, rgba
from ..core.ops.resample import enlarge
from ..core.recipes import SETTINGS
from .compat import colour_input, schema, wrong_choice
from .device import Place, nth
from .progress import Bar
from .settings import setting_input
from .tensors import from_image, mask_for, to_image, to_mask

BYTES_PER_PIXEL = 120  # picture, background, estimate, results, and the estimate's own work


class NuggyComposite(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            "NuggyComposite",
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
                parse_rgba(colour)
        except InputError as e:
            return str(e)
        return wrong_choice(cls, fit=fit, foreground=foreground) or True

    @classmethod
    def execute(cls, image: Tensor, mask: Tensor, colour: str, fit: str, foreground: str,
                background: Tensor | None = None) -> io.NodeOutput:  # fmt: skip
        images = from_image(image)
        masks = mask_for(images, mask)
        method = SETTINGS["foreground"].check(foreground)
        pairs, _ = match_batch(images, masks, "image", "mask")
        behind = pairs[:1, :, :1, :1] if background is None else from_image(background, "background")
        count = len(match_batch(pairs, behind, "image", "background")[0])  # refused before any work
        plain = parse_rgba(colour) if background is None else None
        place, bar, made = Place(images, BYTES_PER_PIXEL), Bar(count), []
        own = masks[:0]
        for i in range(count):
            bar(i, count)
            if i == 0 or len(pairs) > 1:
                own = place.run(lambda one, m: own_colours(one, m, method), nth(images, i), nth(masks, i))
            made.append(place.run(lambda c, m, b: _put(c, m, b, plain, fit), own, nth(masks, i), nth(behind, i)))
        bar(count, count)
        return io.NodeOutput(*(torch.cat(part) for part in zip(*made)))


class Composite(NuggyComposite):
    """The same under the id that it had first, which another published pack has as well."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        made = super().define_schema()
        known = {f.name for f in dataclasses.fields(io.Schema)}
        made.node_id = made.display_name = "Composite"  # no name of ours, should another pack's node take the id
        if "is_deprecated" in known:  # the menus show one of the two
            made.is_deprecated = True
        return made


def own_colours(image: Tensor, alpha: Tensor, method: str) -> Tensor:
    """The subject's colours of one picture; light above 1 stays.

    Args:
        image: [1,3,H,W], 0 or more.
        alpha: [1,1,h,w], 0..1.
        method: estimate_foreground's.

    Returns:
        [1,3,H,W].
    """
    peak = image.amax().clamp(min=1)
    scaled = image if peak == 1 else image / peak
    found = estimate_foreground(scaled, enlarge(alpha, *image.shape[-2:]), method)
    return found if peak == 1 else found * peak


def _put(
    colours: Tensor, alpha: Tensor, behind: Tensor, plain: tuple[tuple[float, ...], float] | None, how: str
) -> list[Tensor]:
    """One picture's outputs. plain: the colour behind and its alpha, in place of a background."""
    height, width = colours.shape[-2:]
    alpha = enlarge(alpha, height, width)
    if plain is None:
        picture = over(colours, alpha, fit(behind.to(colours), height, width, how))
    elif plain[1] >= 1:
        picture = over(colours, alpha, colour_plane(plain[0], colours))
    else:
        there = torch.full_like(alpha, plain[1])
        picture = torch.cat(over_transparent(colours, alpha, colour_plane(plain[0], colours), there), 1)
    return [to_image(picture), to_image(rgba(colours, alpha)), to_mask(alpha), to_mask(1 - alpha)]
