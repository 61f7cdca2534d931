"""The ComfyUI nodes: thin over nuggy_nodes.core, one file a node. Imported by ComfyUI only (it needs comfy_api)."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from . import models
from .adjust_mask import NuggyAdjustMask
from .composite import Composite, NuggyComposite
from .crop_subject import NuggyCropSubject
from .each_subject import NuggyEachSubject
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
    NuggyComposite,
    NuggyForeground,
    NuggyPrepareInpaint,
    NuggyPasteBack,
    NuggySteadyMask,
    NuggyEachSubject,
    NuggyAdjustMask,
    NuggyCropSubject,
]


class Nuggy(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        models.register()  # not in on_load, which ComfyUI 0.3.75 does not call
        return [*NODES, Composite] if is_free("Composite") else NODES


def is_free(node_id: str) -> bool:
    """Whether no pack that was loaded before this one has a node id; one that is loaded after takes it by itself.

    Args:
        node_id: the id.

    Returns:
        Whether it is free.
    """
    import nodes  # ComfyUI's

    return node_id not in nodes.NODE_CLASS_MAPPINGS
