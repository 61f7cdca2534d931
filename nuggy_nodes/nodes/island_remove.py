"""IslandRemove: parts of a mask that are not the subject go; holes may be filled; what went is reported."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from ..core.islands import IslandReport, remove_islands
from ..core.recipes import RECIPES
from .compat import advanced, intermediate, schema, wrong_choice
from .progress import Bar, say
from .tensors import from_mask

USUAL = RECIPES["balanced"]


def describe(reports: list[IslandReport]) -> str:
    """One line a mask."""
    return "\n".join(
        f"mask {i}: {r.found} parts, {r.removed} removed, {r.filled} holes filled" for i, r in enumerate(reports, 1)
    )


class IslandRemove(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        share = {"min": 0.0, "max": 1.0, "round": 1e-5}
        return schema(
            "IslandRemove",
            [
                io.Mask.Input("mask"),
                io.Combo.Input("keep", options=["subject", "largest", "all"], default=USUAL.islands),
                io.Float.Input("threshold", default=USUAL.threshold, min=0.0, max=0.99, step=0.01),
                io.Float.Input("min_area", default=USUAL.min_area, step=0.0005, **share),
                io.Float.Input("max_hole", default=USUAL.max_hole, step=0.0005, **share),
                advanced(io.Float.Input("min_reach", default=USUAL.min_reach, step=0.005, **share)),
                advanced(io.Float.Input("min_peak", default=USUAL.min_peak, step=0.05, **share)),
            ],
            [io.Mask.Output("kept_mask"), io.Int.Output("removed"), io.String.Output("report")],
            ["remove islands", "remove specks", "clean mask", "connected components", "fill holes", "largest part"],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def validate_inputs(cls, keep: Any = None) -> bool | str:
        return wrong_choice(cls, keep=keep) or True

    @classmethod
    def execute(cls, mask: torch.Tensor, keep: str, threshold: float, min_area: float, max_hole: float,
                min_reach: float, min_peak: float) -> io.NodeOutput:  # fmt: skip
        masks = from_mask(mask)
        bar, out, reports = Bar(len(masks)), [], []
        for i, one in enumerate(masks.split(1)):
            bar(i, len(masks))
            kept, report = remove_islands(one, threshold, min_area, min_reach, min_peak, max_hole, keep)
            out.append(intermediate(kept[:, 0]))
            reports += report
        bar(len(masks), len(masks))
        text = describe(reports)
        say(text, cls.hidden.unique_id)
        return io.NodeOutput(torch.cat(out), sum(r.removed for r in reports), text)
