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


@pytest.mark.parametrize("said", ["keep", "drop", "unsure", "mask", "box"])
def test_what_the_user_says_is_the_cut_outs_answer(pack, network32, chelsea, said, monkeypatch):
    """Through all nodes at their defaults, against cutout(guidance=...); the network is asked once."""
    from nuggy_nodes.core.segment.guidance import Guidance

    module, asked = sys.modules[f"{pack.__name__}.tta_mask"], []
    kept = sys.modules[f"{pack.__name__}.kept"]
    answer = torch.nn.functional.interpolate(chelsea[:, 1:2], size=(96, 128), mode="bilinear")
    monkeypatch.setattr("nuggy_nodes.core.pipeline.look", lambda *a, **k: answer)
    monkeypatch.setattr("nuggy_nodes.core.guided_answer.seen_in_boxes", lambda *a: torch.cat((answer, answer)))

    class Model(module.ManagedNetwork):
        def __init__(self):
            self.kept, self.network = kept.Kept(), network32

        def load(self, *asked):
            pass

        def masks(self, images, *chosen):
            asked.append(len(images))
            yield torch.nn.functional.interpolate(answer, size=images.shape[-2:], mode="bilinear")

    plane = torch.zeros(1, *chelsea.shape[-2:])
    plane[:, 60:140, 80:190] = 1
    inputs = {"guide_mask": plane, "guide_as": said} if said in ("mask", "box") else {said: plane}
    spoken = Guidance(boxes=[(80, 60, 110, 80)]) if said == "box" else Guidance(**{said: plane[:, None]})
    image, model = chelsea.movedim(-3, -1), Model()
    for _ in range(2):
        mask = pack.NuggyTTAMask.execute(model, image, "fast", "auto", "1024", 0, **inputs).args[0]
    assert len(asked) == (0 if said == "mask" else 1)
    refined = pack.GuidedFilterRefine.execute(image, mask).args[0]
    made = pack.IslandRemove.execute(refined).args[0]
    expected = cutout(chelsea, network32, "fast", guidance=spoken).alpha[:, 0]
    assert (made - expected).abs().max() < 1e-4
    nothing = pack.NuggyTTAMask.execute(model, image, "fast", "auto", "1024", 0, keep=torch.zeros(1, 64, 64)).args[0]
    assert torch.equal(nothing, pack.NuggyTTAMask.execute(model, image, "fast", "auto", "1024", 0).args[0])
