"""Every node computes on ComfyUI's device and gives back to the CPU: seen with a device that is not there."""

from __future__ import annotations

import sys

import pytest
import torch
from elsewhere import DEVICE, There, elsewhere
from where import HERE, nodes, scene, watched

FRAMES, HEIGHT, WIDTH = 2, 40, 64
pytestmark = [pytest.mark.slow, pytest.mark.parametrize("pack", ["0.33"], indirect=True, scope="module")]


@pytest.fixture(scope="module")
def found(pack):
    """For each node what was computed where, what it gave, and what it gives where there is no such device."""
    patch, state, out = pytest.MonkeyPatch(), sys.modules["fake_comfy"].State, {}
    for room in ("refine.islands", "refine.edge", "segment.each", "segment.sharper"):
        patch.setattr(f"nuggy_nodes.core.{room}.AT_HOME", ("cpu", DEVICE.type))  # as CUDA, not as MPS
    image, mask = scene(FRAMES, HEIGHT, WIDTH)
    with torch.inference_mode():
        plain = {name: run().args for name, run in nodes(pack, image, mask, "256")}
        patch.setattr(state, "device", DEVICE)
        for name, run in nodes(pack, image, mask, "256"):
            out[name] = (*watched(run), plain[name])
    patch.undo()
    return out


def test_the_work_is_done_there(found):
    """A number computed here for a pixel is a check of what came in, or a question to what goes out."""
    for name, (seen, _, _) in found.items():
        here = {k: n / (FRAMES * HEIGHT * WIDTH) for k, n in seen.work["here"].items()}
        wide = {k for k, share in here.items() if share > 0.2}  # more than lines and columns
        assert wide <= HERE.get(name, set()) | HERE["every node"], (name, here)
        if name != "NuggyCropSubject":  # which cuts, no more
            assert sum(seen.work["there"].values()) > 10 * FRAMES * HEIGHT * WIDTH, name


def test_the_results_come_back(found):
    for name, (_, made, _) in found.items():
        kept = [x for x in made if isinstance(x, torch.Tensor)]
        kept += [x for part in made if hasattr(part, "alpha") for x in (part.image, part.alpha, part.mask)]
        assert kept and all(x.device.type == "cpu" and not isinstance(x, There) for x in kept), name


def test_the_results_are_the_cpus(found):
    """The device's arithmetic is the CPU's here: what differs is the way that is taken there, by a step or two."""
    for name, (_, made, plain) in found.items():
        for ours, theirs in zip(made, plain):
            if isinstance(ours, torch.Tensor):
                assert ours.shape == theirs.shape and (ours - theirs).abs().max() < 0.02, name


def test_tensors_of_both_places_do_not_meet(pack):
    with elsewhere() as seen:
        there = torch.ones(4, 4).to(DEVICE)
        assert isinstance(there + 1, There) and isinstance(torch.tensor([1.0], device=there.device), There)
        with pytest.raises(RuntimeError, match="same device, but add"):
            there + torch.ones(4, 4)
        assert float((there * 2).cpu().sum()) == 32
    assert seen.work["there"]["mul"] == 16 and seen.moved >= 32
