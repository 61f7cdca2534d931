"""The recipe that a mask carries from Nuggy TTA Mask to the nodes after it."""

from __future__ import annotations

import sys

import pytest
import torch

from nuggy_nodes.core import cutout, recipe
from nuggy_nodes.core.recipes import RECIPES

NAMES = ["fast", "balanced", "best"]


def settings(pack):
    return sys.modules[f"{pack.__name__}.settings"]


@pytest.mark.parametrize("carried", NAMES)
@pytest.mark.parametrize("chosen", ["as the mask's", *NAMES])
def test_whose_settings_count(pack, carried, chosen):
    module, mask = settings(pack), torch.zeros(1, 4, 4)
    module.carry(mask, carried)
    usual = {"radius": 20.0, "passes": 1, "keep": "subject"}
    wanted = carried if chosen == "as the mask's" else chosen
    assert module.effective(mask, chosen, usual) == RECIPES[wanted]
    moved = module.effective(mask, chosen, usual | {"radius": 7.0, "passes": 3, "keep": "all"})
    assert moved == recipe(wanted, radius=7.0, passes=3, islands="all")  # what was moved counts before the recipe


def test_another_nodes_mask_is_balanced(pack):
    module = settings(pack)
    assert module.effective(torch.zeros(1, 4, 4), module.AS_THE_MASK, {}) == RECIPES["balanced"]


@pytest.mark.parametrize("which", NAMES)
def test_the_chain_as_it_comes_is_the_cut_out(pack, network32, chelsea, which, monkeypatch):
    """All nodes at their defaults, with the network's answer made small and the same for both."""
    module = sys.modules[f"{pack.__name__}.tta_mask"]
    answer = torch.nn.functional.interpolate(chelsea[:, 1:2], size=(96, 128), mode="bilinear")
    monkeypatch.setattr("nuggy_nodes.core.pipeline.look", lambda *a, **k: answer)

    class Model(module.ManagedNetwork):
        def __init__(self):
            pass

        def masks(self, images, *chosen):
            yield torch.nn.functional.interpolate(answer, size=images.shape[-2:], mode="bilinear")

    image = chelsea.movedim(1, -1)
    mask = pack.NuggyTTAMask.execute(Model(), image, which, "auto", "1024", 0).args[0]
    refined = pack.GuidedFilterRefine.execute(image, mask).args[0]
    kept = pack.IslandRemove.execute(refined).args[0]
    expected = cutout(chelsea, network32, which).alpha[:, 0]
    assert (kept - expected).abs().max() < 1e-5
