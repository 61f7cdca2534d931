"""Steps in a weights file."""

import pytest
import torch

from nuggy_nodes.core import WeightsError
from nuggy_nodes.core.network import steps as stored
from nuggy_nodes.core.network.weights import default_path


def test_steps_that_do_not_fit_are_named(tmp_path):
    path = tmp_path / "own.safetensors"
    path.write_bytes(default_path().read_bytes())
    good = stored.read_steps(path)
    for change in ({"stage2": torch.ones(3)}, {"stage2": torch.zeros(128)}, {"stage9": torch.ones(3)}):
        with pytest.raises(WeightsError, match="calibrate it again"):
            stored.add_steps(path, good | change)
    assert stored.read_steps(path).keys() == good.keys()
