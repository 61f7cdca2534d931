"""What the tests share: the sample photographs, the default network, and no dependence on the user's cache."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nuggy_nodes.core import Network, load

ROOT = Path(__file__).parents[1]
MOST = 4  # processes; each holds torch and a network or two


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Folders run in as many processes as there are cores, one thread each; named files in this one. -n says otherwise.

    Each process gets a run of neighbours and takes over from the others' ends, so that what a module's tests share is
    made once, or twice.
    """
    option = config.option
    if hasattr(config, "workerinput"):  # one of these processes: it is not to start others
        return
    if getattr(option, "numprocesses", 0) is None and all(Path(a).is_dir() for a in config.args):
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        if cores > 1 and not option.usepdb:
            option.numprocesses, option.dist = min(cores, MOST), "worksteal"
    if getattr(option, "numprocesses", 0):
        os.environ.setdefault("OMP_NUM_THREADS", "1")


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
