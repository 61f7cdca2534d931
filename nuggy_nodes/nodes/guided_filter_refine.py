"""GuidedFilterRefine: a mask takes its edges from the photograph, at the photograph's size; then levels."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io
from torch import Tensor

from ..core.checks import match_batch
from ..core.ops.morphology import largest, smallest
from ..core.ops.resample import enlarge
from ..core.refine.levels import levels
from ..core.refine.refine import refine
from ..core.refine.rough import refine_rough
from .compat import schema, wrong_choice
from .device import Place, nth
from .progress import Bar, note_empty
from .settings import AS_THE_MASK, CARRIED, USUAL, carried, carry, effective, nothing_to_do, recipe_input, setting_input
from .tensors import from_image, mask_for, to_mask

BYTES_PER_PIXEL = 160  # the colour guide's statistics, 13 planes of float32 and their means


class GuidedFilterRefine(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        old = ("radius", "black", "white", "gamma", "guide", "epsilon")
        return schema(
            "GuidedFilterRefine",
            [
                io.Image.Input("image"),
                io.Mask.Input("mask"),
                *(setting_input(name) for name in old),
                setting_input("passes", optional=True),
                recipe_input(),
                setting_input("detail", optional=True),
                io.Mask.Input("unsure", optional=True),
            ],
            [io.Mask.Output("refined_mask")],
            ["guided filter", "refine mask", "refine edges", "hair", "mask upsampling", "feather", "matting", "levels"],
        )

    @classmethod
    def validate_inputs(cls, black: Any = None, white: Any = None, guide: Any = None, recipe: Any = None) -> bool | str:
        given = [v for v in (black, white) if isinstance(v, (int, float))]  # a value that is linked comes later
        if any(not 0 <= v <= 1 for v in given) or (len(given) == 2 and not given[0] < given[1]):
            return f"black must be below white, both from 0 to 1; got black {black} and white {white}"
        return wrong_choice(cls, guide=guide, recipe=recipe) or True

    @classmethod
    def execute(
        cls, image: Tensor, mask: Tensor, recipe: str = AS_THE_MASK, unsure: Tensor | None = None, **settings: Any
    ) -> io.NodeOutput:
        images, made = from_image(image), hasattr(mask, CARRIED)
        images, masks = match_batch(images, mask_for(images, mask), "image", "mask")
        grey = masks[:1] * 0 if unsure is None else mask_for(images, unsure, "unsure")
        match_batch(images, grey, "image", "unsure")
        if nothing_to_do(mask, recipe, settings) and not bool(grey.any()):
            return io.NodeOutput(mask, ui=note_empty(masks[:, 0], "the mask is empty"))
        wanted = effective(mask, recipe, settings).part("edge")

        def work(one: Tensor, coarse: Tensor, doubt: Tensor) -> Tensor:
            rough = wanted["guide"] != "none" and (bool(doubt.any()) or (not made and is_hard(coarse)))
            return to_mask(_rough(one, coarse, doubt, wanted) if rough else refine(one, coarse, **wanted))

        place, bar, out = Place(images, BYTES_PER_PIXEL), Bar(len(images)), []
        for i, pair in enumerate(zip(images.split(1), masks.split(1))):
            bar(i, len(images))
            out.append(place.run(work, *pair, nth(grey, i)))
        bar(len(images), len(images))
        said = note_empty(masks[:, 0], "the mask is empty")
        return io.NodeOutput(carry(torch.cat(out), carried(mask, recipe)), ui=said)


def is_hard(mask: Tensor) -> bool:
    """Whether a mask is sure of every pixel but those right at its edge.

    Args:
        mask: [1,1,h,w], 0..1.

    Returns:
        Whether it is; False for an empty one.
    """
    between = int(((mask > 0.02) & (mask < 0.98)).sum())
    inside = (mask > 0.5).float()
    return bool(inside.any()) and between <= int((largest(inside, 1) > smallest(inside, 1)).sum())


def _rough(image: Tensor, mask: Tensor, doubt: Tensor, wanted: dict[str, Any]) -> Tensor:
    """A hard mask, or one that is not believed everywhere: its edge found anew (core.refine.rough). A radius that was
    moved says how far it may be wrong; levels that were moved count after."""
    side = max(image.shape[-2:])
    uncertainty = None if wanted["radius"] == USUAL.radius else min(max(wanted["radius"] * side / 1024, 1.0), side)
    unsure = (enlarge(doubt, *image.shape[-2:]) > 0.5).float() if bool(doubt.any()) else None
    alpha = refine_rough(image, mask, uncertainty, unsure, wanted["detail"])
    ends = {n: wanted[n] for n in ("black", "white", "gamma")}
    return alpha if ends == {n: getattr(USUAL, n) for n in ends} else levels(alpha, **ends)
