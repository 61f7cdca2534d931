"""What the tests share: the sample photographs, the default network, and no dependence on the user's cache."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nuggy_nodes.core import Network, load

ROOT = Path(__file__).parents[1]


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was imported stays: tests that count what is alive need not walk through it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()


@pytest.fixture(scope="session")
def network() -> Network:
    """The default weights in the arithmetic that this processor does best."""
    from nuggy_nodes.core import choose_precision

    return load(dtype=choose_precision(torch.device("cpu")))


@pytest.fixture(scope="session")
def network32() -> Network:
    """The default weights in float32 arithmetic."""
    return load()


@pytest.fixture(scope="session")
def chelsea() -> torch.Tensor:
    """A cat, [1,3,300,451], 0..1."""
    pixels = np.array(Image.open(ROOT / "samples" / "chelsea.png").convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)
