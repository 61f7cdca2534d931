"""IslandRemove: parts of a mask that are not the subject go; holes may be filled; what went is reported."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from ..core.refine.edge import adjust_edge
from ..core.refine.islands import IslandReport, remove_islands
from .compat import intermediate, schema, wrong_choice
from .progress import Bar, say
from .settings import AS_THE_MASK, carried, carry, effective, recipe_input, setting_input
from .tensors import from_mask


def describe(reports: list[IslandReport]) -> str:
    """One line a mask."""
    return "\n".join(
        f"mask {i}: {r.found} parts, {r.removed} removed, {r.filled} holes filled" for i, r in enumerate(reports, 1)
    )


class IslandRemove(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        old = ("keep", "threshold", "min_area", "max_hole", "min_reach", "min_peak")
        return schema(
            "IslandRemove",
            [
                io.Mask.Input("mask"),
                *(setting_input(name) for name in old),
                recipe_input(),
                *(setting_input(name, optional=True) for name in ("shift_edge", "feather")),
            ],
            [io.Mask.Output("kept_mask"), io.Int.Output("removed"), io.String.Output("report")],
            ["remove islands", "remove specks", "clean mask", "connected components", "fill holes", "largest part"],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def validate_inputs(cls, keep: Any = None, recipe: Any = None) -> bool | str:
        return wrong_choice(cls, keep=keep, recipe=recipe) or True

    @classmethod
    def execute(cls, mask: torch.Tensor, recipe: str = AS_THE_MASK, **settings: Any) -> io.NodeOutput:
        wanted = effective(mask, recipe, settings)
        masks = from_mask(mask)
        bar, out, reports = Bar(len(masks)), [], []
        for i, one in enumerate(masks.split(1)):
            bar(i, len(masks))
            kept, report = remove_islands(one, **wanted.part("islands"))
            out.append(intermediate(adjust_edge(kept, **wanted.part("mask"))[:, 0]))
            reports += report
        bar(len(masks), len(masks))
        text = describe(reports)
        say(text, cls.hidden.unique_id)
        made = carry(torch.cat(out), carried(mask, recipe))
        return io.NodeOutput(made, sum(r.removed for r in reports), text)
