"""The ComfyUI nodes: thin over nuggy_nodes.core, one file a node. Imported by ComfyUI only (it needs comfy_api)."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from . import models
from .composite import Composite
from .foreground import NuggyForeground
from .guided_filter_refine import GuidedFilterRefine
from .island_remove import IslandRemove
from .loader import NuggyLoader
from .paste_back import NuggyPasteBack
from .prepare_inpaint import NuggyPrepareInpaint
from .steady_mask import NuggySteadyMask
from .tta_mask import NuggyTTAMask

NODES = [
    NuggyLoader,
    NuggyTTAMask,
    GuidedFilterRefine,
    IslandRemove,
    Composite,
    NuggyForeground,
    NuggyPrepareInpaint,
    NuggyPasteBack,
    NuggySteadyMask,
]


class Nuggy(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        models.register()  # not in on_load, which ComfyUI 0.3.75 does not call
        return NODES
