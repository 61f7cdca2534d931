"""The nodes, imported over a stand-in for ComfyUI: once as 0.3.75 is, once as 0.33 is."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
import fake_comfy


@pytest.fixture(params=["0.3.75", "0.33"], scope="module")
def pack(request, tmp_path_factory):
    """The package nuggy_nodes.nodes."""
    patch = pytest.MonkeyPatch()
    fake_comfy.install(patch, request.param == "0.33", str(tmp_path_factory.mktemp("models")))
    yield importlib.import_module("nuggy_nodes.nodes")
    for name in [n for n in sys.modules if n.startswith("nuggy_nodes.nodes")]:
        del sys.modules[name]
    patch.undo()


@pytest.fixture(scope="module")
def new(pack) -> bool:
    return "CoreModelPatcher" in vars(sys.modules["comfy.model_patcher"])


@pytest.fixture(autouse=True)
def state():
    fake_comfy.State.reset()
    return fake_comfy.State


@pytest.fixture
def image() -> torch.Tensor:
    """A batch of two pictures [2,48,64,3]: a bright disc on noise, at different places."""
    g = torch.Generator().manual_seed(5)
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(64.0), indexing="ij")
    discs = torch.stack([((y - 24) ** 2 + (x - at) ** 2 < 150).float() for at in (20, 44)])
    return (0.2 * torch.rand(2, 48, 64, 3, generator=g) + 0.7 * discs[..., None]).clamp(0, 1)


@pytest.fixture
def mask() -> torch.Tensor:
    """The discs of `image` as a rough MASK [2,48,64]."""
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(64.0), indexing="ij")
    return torch.stack([((y - 24) ** 2 + (x - at) ** 2 < 170).float() for at in (20, 44)])
