"""The table of known networks."""

from __future__ import annotations

import pytest
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


def test_rows_are_told_apart_and_say_what_is_needed():
    assert len(known.BY_NAME) == len(known.BY_CHECKSUM) == len(known.KNOWN)
    for row in known.KNOWN:
        assert len(row.checksum) in (32, 64) and set(row.checksum) <= set("0123456789abcdef"), row.name
        assert row.size % 32 == 0 and row.licence and "/" in row.source and row.use, row.name
        assert len(row.normalise) == 2 and all(0 < s <= 1 for s in row.normalise[1]), row.name


@pytest.mark.parametrize(
    ("name", "normalise", "size", "logits"),
    [
        ("isnet-general-use", ((0.5,) * 3, (1.0,) * 3), 1024, False),
        ("isnet-anime", ((0.485, 0.456, 0.406), (1.0,) * 3), 1024, False),
        ("birefnet-general", ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), 1024, True),
        ("bria-rmbg", ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), 1024, False),
        ("u2net", ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), 320, False),
    ],
)
def test_how_rembg_shows_a_picture_to_each(name, normalise, size, logits):
    row = known.BY_NAME[name]
    assert (row.normalise, row.size, row.logits) == (normalise, size, logits)
