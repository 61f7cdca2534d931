"""Prompts in the form in which ComfyUI's API takes them, built node by node."""

from __future__ import annotations

from typing import Any

NODES = ("NuggyLoader", "NuggyTTAMask", "GuidedFilterRefine", "IslandRemove", "NuggyComposite", "NuggyForeground",
         "NuggyPrepareInpaint", "NuggyPasteBack", "NuggySteadyMask", "NuggyEachSubject", "NuggyAdjustMask",
         "NuggyCropSubject")  # fmt: skip
DEFAULT = "isnet-general-use-8bit.safetensors"
USUAL: dict[str, dict[str, Any]] = {
    "NuggyLoader": {"weights": DEFAULT, "precision": "float32"},
    "NuggyTTAMask": {"views": "custom", "combine": "auto", "custom_views": "256", "chunk": 0},
    "GuidedFilterRefine": {"radius": 20.0, "black": 0.1, "white": 0.9, "gamma": 1.0, "guide": "colour",
                           "epsilon": 1e-4, "passes": 1},
    "IslandRemove": {"keep": "subject", "threshold": 0.1, "min_area": 0.002, "max_hole": 0.0, "min_reach": 0.02,
                     "min_peak": 0.5},
    "NuggyComposite": {"colour": "#ffffff", "fit": "cover", "foreground": "multilevel"},
    "NuggyPrepareInpaint": {"crop": "picture", "margin": 0.25, "long_side": 0, "fill": "neutral", "edge_cells": "keep",
                            "grow": 8, "feather": 0, "protect": 0.95, "multiple": "8", "latent_cell": "8",
                            "follow": False},
    "NuggySteadyMask": {"frames": "3", "tolerance": 0.06},
}  # fmt: skip


class Prompt(dict[str, Any]):
    """add("SaveImage", images=x) returns the node's id; (id, 1) is its second output, an id alone its first."""

    def add(self, kind: str, **inputs: Any) -> str:
        name = str(len(self) + 1)
        given = USUAL.get(kind, {}) | {k: self.link(v) for k, v in inputs.items()}
        self[name] = {"class_type": kind, "inputs": given}
        return name

    def link(self, value: Any) -> Any:
        if isinstance(value, str) and value in self:
            return [value, 0]
        return list(value) if isinstance(value, tuple) else value


def chain(image: str, **changes: dict[str, Any]) -> tuple[Prompt, dict[str, str]]:
    """All five nodes on an uploaded picture, RGBA saved; the ids by kind of node. changes: inputs by kind of node."""
    p = Prompt()
    ids = {"LoadImage": p.add("LoadImage", image=image)}
    return p, extend(p, ids["LoadImage"], ids, **changes)


def extend(p: Prompt, image: Any, ids: dict[str, str] | None = None, **changes: dict[str, Any]) -> dict[str, str]:
    """The five nodes and Save Image after `image`, a node of `p`."""
    ids = {} if ids is None else ids

    def add(kind: str, **inputs: Any) -> str:
        ids[kind] = p.add(kind, **inputs | changes.get(kind, {}))
        return ids[kind]

    add("NuggyLoader")
    add("NuggyTTAMask", model=ids["NuggyLoader"], image=image)
    add("GuidedFilterRefine", image=image, mask=ids["NuggyTTAMask"])
    add("IslandRemove", mask=ids["GuidedFilterRefine"])
    add("NuggyComposite", image=image, mask=ids["IslandRemove"])
    add("SaveImage", images=(ids["NuggyComposite"], 1), filename_prefix="nuggy")
    return ids


def of_workflow(graph: dict[str, Any], **changes: dict[str, Any]) -> dict[str, Any]:
    """A stored workflow as a prompt, as the page makes it when Run is pressed: inputs that have a widget carry its
    value, in order. changes: inputs by kind of node."""
    ends = {link[0]: [str(link[1]), link[2]] for link in graph["links"]}
    prompt = {}
    for node in graph["nodes"]:
        if node["type"] == "MarkdownNote":
            continue
        widgets = [i["name"] for i in node["inputs"] if "widget" in i]
        given = dict(zip(widgets, node.get("widgets_values") or []))
        given |= changes.get(node["type"], {})
        given |= {i["name"]: ends[i["link"]] for i in node["inputs"] if i.get("link") is not None}
        prompt[str(node["id"])] = {"class_type": node["type"], "inputs": given}
    return prompt
