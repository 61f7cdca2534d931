"""IslandRemove: parts of a mask that are not the subject go; holes may be filled; what went is reported."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from ..core.refine.edge import adjust_edge
from ..core.refine.islands import IslandReport, remove_islands
from .compat import schema, wrong_choice
from .device import Place
from .progress import Bar, note
from .settings import AS_THE_MASK, carried, carry, effective, nothing_to_do, recipe_input, setting_input
from .tensors import from_mask, to_mask

BYTES_PER_PIXEL = 60
EMPTY = "empty: nothing was found before this node, or the mask is 1 nowhere"
FINISHED = "the mask came finished: guidance has removed its islands"


def describe(reports: list[IslandReport]) -> str:
    """What was done, one line a mask; masks one after the other of which the same is to be said share one.

    Args:
        reports: one a mask.

    Returns:
        The lines.
    """
    lines: list[tuple[int, int, str]] = []
    for i, r in enumerate(reports, 1):
        told = f"{r.found} parts, {r.removed} removed, {r.filled} holes filled" if r.found else EMPTY
        if lines and lines[-1][2] == told:
            lines[-1] = (lines[-1][0], i, told)
        else:
            lines.append((i, i, told))
    return "\n".join(f"mask {a}: {t}" if a == b else f"masks {a} to {b}: {t}" for a, b, t in lines)


def in_short(reports: list[IslandReport]) -> str:
    """What fits on the node.

    Args:
        reports: one a mask.

    Returns:
        `describe`, or the sums of many masks.
    """
    if len(reports) <= 3:
        return describe(reports)
    empty = sum(not r.found for r in reports)
    parts, removed, filled = (sum(getattr(r, n) for r in reports) for n in ("found", "removed", "filled"))
    told = f"{len(reports)} masks: {parts} parts, {removed} removed, {filled} holes filled"
    return told + (f", {empty} empty" if empty else "")


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
        )

    @classmethod
    def validate_inputs(cls, keep: Any = None, recipe: Any = None) -> bool | str:
        return wrong_choice(cls, keep=keep, recipe=recipe) or True

    @classmethod
    def execute(cls, mask: torch.Tensor, recipe: str = AS_THE_MASK, **settings: Any) -> io.NodeOutput:
        if nothing_to_do(mask, recipe, settings):
            return io.NodeOutput(mask, 0, FINISHED, ui=note(FINISHED))
        wanted = effective(mask, recipe, settings)
        masks = from_mask(mask)
        place, bar, out, reports = Place(masks, BYTES_PER_PIXEL), Bar(len(masks)), [], list[IslandReport]()

        def work(one: torch.Tensor) -> torch.Tensor:
            kept, report = remove_islands(one, **wanted.part("islands"))
            reports.extend(report)
            return to_mask(adjust_edge(kept, **wanted.part("mask")))

        for i, one in enumerate(masks.split(1)):
            bar(i, len(masks))
            out.append(place.run(work, one))
        bar(len(masks), len(masks))
        text = describe(reports)
        said = note(in_short(reports), alert=any(not r.found for r in reports))
        made = carry(torch.cat(out), carried(mask, recipe))
        return io.NodeOutput(made, sum(r.removed for r in reports), text, ui=said)
