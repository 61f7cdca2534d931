"""ComfyUI's door. The nodes are in nuggy_nodes/nodes; whoever is not ComfyUI imports nuggy_nodes.core."""

WEB_DIRECTORY = "./web"


async def comfy_entrypoint():  # type: ignore[no-untyped-def]
    """What ComfyUI asks for the nodes. The import waits until then: this file is also seen by tools without ComfyUI."""
    from .nuggy_nodes.nodes import Nuggy

    return Nuggy()


__all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]
