"""What differs between ComfyUI 0.3.75 and the 0.33 line, and the one place where the nodes' English texts come from.

A keyword that a ComfyUI does not know raises while the pack is loaded, and the whole pack is left out; so a schema is
made of what this ComfyUI knows. Names, descriptions and tooltips are read from locales/en/nodeDefs.json, the file that
the other languages translate.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from pathlib import Path
from typing import Any

import comfy.model_management as mm
import comfy.model_patcher
import torch
from comfy_api.latest import io

from ..core.recipes import SETTINGS

CATEGORY = "image/background removal/Nuggy"  # beside ComfyUI's own Remove Background
Model = io.Custom("BACKGROUND_REMOVAL")  # the type of ComfyUI's own RemoveBackground, by name: older ones lack it
Stitch = io.Custom("NUGGY_STITCH")  # from Prepare Inpaint to Paste Back: core.inpainting.Stitch
Patcher = getattr(comfy.model_patcher, "CoreModelPatcher", comfy.model_patcher.ModelPatcher)


@functools.cache
def english() -> dict[str, Any]:
    """The English texts of all nodes, by node id."""
    path = Path(__file__).resolve().parents[2] / "locales" / "en" / "nodeDefs.json"
    return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def schema(
    node_id: str, inputs: list[io.Input], outputs: list[io.Output], aliases: list[str], **more: Any
) -> io.Schema:
    """A node's Schema with its texts from the English locale, less the fields that this ComfyUI does not know.

    Args:
        node_id: of the node.
        inputs, outputs: in order.
        aliases: words under which it is found.
        **more: other fields of Schema.

    Returns:
        The Schema.
    """
    texts = english()[node_id]
    for given in inputs:
        given.display_name = texts["inputs"][given.id]["name"]
        given.tooltip = texts["inputs"][given.id]["tooltip"]
    for i, made in enumerate(outputs):
        made.display_name = texts["outputs"][str(i)]["name"]
        made.tooltip = texts["outputs"][str(i)]["tooltip"]
    everything = {
        "node_id": node_id,
        "display_name": texts["display_name"],
        "description": texts["description"],
        "category": CATEGORY,
        "search_aliases": ["nuggy", *aliases],
        "inputs": inputs,
        "outputs": outputs,
        **more,
    }
    known = {f.name for f in dataclasses.fields(io.Schema)}
    return io.Schema(**{k: v for k, v in everything.items() if k in known})


def advanced(given: io.Input) -> io.Input:
    """Mark an input as one that is folded away; ComfyUI 0.3.75 takes the mark in `extra_dict` only.

    Args:
        given: the input, which is changed.

    Returns:
        The same input.
    """
    given.advanced = True
    given.extra_dict = {**(given.extra_dict or {}), "advanced": True}
    return given


def colour_input(name: str, default: str) -> io.Input:
    """A colour picker where there is one, else a text field for '#rrggbb'.

    Args:
        name: of the input.
        default: '#rrggbb'.

    Returns:
        The input.
    """
    return io.Color.Input(name, default=default) if hasattr(io, "Color") else io.String.Input(name, default=default)


def wrong_choice(node: type[io.ComfyNode], **given: Any) -> str | None:
    """Look for a value that its Combo does not offer. ComfyUI 0.3.75 does not check V3 nodes' choices; what is linked
    (None here) is not known before the run.

    Args:
        node: whose inputs they are.
        **given: values by the inputs' names.

    Returns:
        A sentence for the first such value; None where there is none.
    """
    for asked in node.define_schema().inputs:
        value = given.get(asked.id)
        if asked.id in SETTINGS and isinstance(value, str):
            value = (SETTINGS[asked.id].aliases or {}).get(value, value)  # a word of an earlier release
        if isinstance(asked, io.Combo.Input) and isinstance(value, str) and value not in asked.options:
            return f"{asked.id} must be one of {', '.join(asked.options)}; got {value!r}"
    return None


def intermediate(x: torch.Tensor) -> torch.Tensor:
    """A tensor where and as this ComfyUI keeps what goes from node to node.

    Args:
        x: any tensor.

    Returns:
        x on that device and in that dtype.
    """
    dtype = getattr(mm, "intermediate_dtype", lambda: torch.float32)()
    return x.to(mm.intermediate_device(), dtype)
