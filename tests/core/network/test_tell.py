"""What a file is, told without running it."""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core import WeightsError
from nuggy_nodes.core.network import find
from nuggy_nodes.core.network.tell import BIREFNET, tell


def test_a_birefnet_in_safetensors_is_told_where_it_runs(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "birefnet.safetensors"
    save_file({BIREFNET: torch.zeros(2)}, path)
    assert tell(path).architecture == "BiRefNet"
    with pytest.raises(WeightsError, match="ComfyUI's Load Background Removal Model"):
        find.open_network(path)
