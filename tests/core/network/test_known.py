"""The table of known networks."""

from __future__ import annotations

import torch

from nuggy_nodes.core.network import description, known
from nuggy_nodes.core.network.onnx_network import load_onnx
from tests.core.network.tiny_onnx import write


def test_a_row_of_the_table_is_all_that_a_new_network_takes(tmp_path, monkeypatch):
    row = known.Known("newcomer", "New", known.HALF, 64, False, "", "MIT", "example.org", "anything")
    monkeypatch.setitem(description.BY_NAME, "newcomer", row)
    network = load_onnx(write(tmp_path / "newcomer.onnx"), "cpu")
    grey = torch.full((1, 3, 64, 64), 0.5)
    assert network.see(grey).sub(0.5).abs().max() < 1e-6 and network.info.licence == "MIT"
