"""Runs each node on a device that is not there (elsewhere.py) and tells what was computed where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from elsewhere import DEVICE, There, Watch, elsewhere
from torch import Tensor

# what is computed here, where its input lies and its result is to lie: checks of the one, questions to the other
HERE = {
    "every node": {"clamp", "aminmax", "amax", "amin", "isfinite"},
    "NuggyTTAMask": {"gt"},  # is it empty?
    "GuidedFilterRefine": {
        "gt",
        "mul",
        "set_",
    },  # is it empty? no doubt given: zeros; its network moves once
    "NuggyCropSubject": {"gt", "any", "nonzero"},  # where the subject is
}


def scene(frames: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    """A clip: a soft disc that moves over noise, as IMAGE [B,H,W,3] and MASK [B,H,W]."""
    g = torch.Generator().manual_seed(7)
    y, x = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
    noise = 0.3 * torch.rand(height, width, 3, generator=g)
    masks = []
    for i in range(frames):
        distance = ((y - height / 2) ** 2 + (x - width * (0.4 + 0.02 * i)) ** 2).sqrt() - height / 4
        masks.append((0.5 - distance / (height / 40)).clamp(0, 1))
    mask = torch.stack(masks)
    return (noise + 0.6 * mask[..., None]).clamp(0, 1), mask


def nodes(pack: Any, image: Tensor, mask: Tensor, views: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Every node that computes, as a name and what runs it."""
    inpaint = {"crop": "picture", "margin": 0.25, "long_side": 0, "fill": "subject", "grow": 8, "feather": 0,
               "protect": 0.95, "follow": False}  # fmt: skip
    model = pack.NuggyLoader.execute("isnet-general-use-8bit.safetensors", "float32").args[0]
    yield "NuggyTTAMask", lambda: pack.NuggyTTAMask.execute(model, image, "custom", "auto", views, 0)
    yield "GuidedFilterRefine", lambda: pack.GuidedFilterRefine.execute(image, mask, detail=0.75)
    yield "IslandRemove", lambda: pack.IslandRemove.execute(mask)
    yield "NuggyComposite", lambda: pack.NuggyComposite.execute(image, mask, "#ffffff", "cover", "multilevel")
    yield "NuggyForeground", lambda: pack.NuggyForeground.execute(image, mask)
    prepare = lambda: pack.NuggyPrepareInpaint.execute(image, mask, "repaint", "8", "8", **inpaint)  # noqa: E731
    yield "NuggyPrepareInpaint", prepare
    with elsewhere():
        stitch = prepare().args[2]
    yield "NuggyPasteBack", lambda: pack.NuggyPasteBack.execute(stitch, image)
    yield "NuggySteadyMask", lambda: pack.NuggySteadyMask.execute(image, mask, "3", 0.06)
    yield "NuggyAdjustMask", lambda: pack.NuggyAdjustMask.execute(mask, 2.0, 1.0, False)
    yield "NuggyCropSubject", lambda: pack.NuggyCropSubject.execute(image, mask, "square", 0.1, 0, "1", False)


def watched(run: Callable[[], Any]) -> tuple[Watch, list[Any]]:
    """Run a node; what was computed where, and its results."""
    with elsewhere() as seen:
        made = run().args
    return seen, list(made)


__all__ = ["DEVICE", "There", "nodes", "scene", "watched"]
