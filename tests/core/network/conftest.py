"""What the tests of networks share."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nuggy_nodes.core.network import convert, weights
from nuggy_nodes.core.network.isnet import layer_names
from tests.narrow import Narrow


@pytest.fixture(scope="module")
def narrow():
    """Weights files are of the narrow network."""
    patch = pytest.MonkeyPatch()
    patch.setattr(weights, "ISNet", Narrow)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def authors_state(narrow):
    """A state dict as the authors' code names it, of random values: `conv_s1` and `bn_s1`; of the narrow network."""
    torch.manual_seed(3)
    state = {}
    shapes = {k: v.shape for k, v in Narrow().state_dict().items()}
    for name in layer_names():
        bare = name == "conv_in" or name.startswith("side")
        layer = name if bare else f"{name}.conv_s1"
        state[f"{layer}.weight"] = torch.randn(shapes[f"{name}.weight"]) * 0.05
        state[f"{layer}.bias"] = torch.randn(shapes[f"{name}.bias"])
        if not bare:
            n = shapes[f"{name}.bias"]
            state |= {f"{name}.bn_s1.weight": torch.rand(n) + 0.5, f"{name}.bn_s1.bias": torch.randn(n),
                      f"{name}.bn_s1.running_mean": torch.randn(n), f"{name}.bn_s1.running_var": torch.rand(n) + 0.1,
                      f"{name}.bn_s1.num_batches_tracked": torch.tensor(7)}  # fmt: skip
    return state


@pytest.fixture(scope="module")
def folded(authors_state, tmp_path_factory):
    return convert.fold(authors_state, tmp_path_factory.mktemp("x") / "x.pth")


@pytest.fixture
def squares(rng):
    return torch.from_numpy(rng.random((3, 3, 64, 64)).astype(np.float32))
