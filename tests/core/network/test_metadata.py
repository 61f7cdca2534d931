"""What travels with weights in their file."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from nuggy_nodes.core import WeightsError
from nuggy_nodes.core.network import weights


@pytest.mark.parametrize("text", ["[]", "not json", '{"mean": 3}', '{"std": [0, 1, 1]}', '{"size": "big"}'])
def test_bad_metadata(tmp_path, text):
    save_file({"a": torch.zeros(1)}, tmp_path / "m.safetensors", {"nuggy": text})
    with pytest.raises(WeightsError, match=r"m\.safetensors: .*metadata"):
        weights.load(tmp_path / "m.safetensors")
