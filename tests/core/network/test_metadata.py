"""What travels with weights in their file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from nuggy_nodes.core import WeightsError
from nuggy_nodes.core.network import weights
from nuggy_nodes.core.network.metadata import Info


@pytest.mark.parametrize("text", ["[]", "not json", '{"mean": 3}', '{"std": [0, 1, 1]}', '{"size": "big"}'])
def test_bad_metadata(tmp_path, text):
    save_file({"a": torch.zeros(1)}, tmp_path / "m.safetensors", {"nuggy": text})
    with pytest.raises(WeightsError, match=r"m\.safetensors: .*metadata"):
        weights.load(tmp_path / "m.safetensors")


def test_what_is_written_is_read_and_bytes_do_not_depend_on_an_order():
    info = Info("isnet", (0.1, 0.2, 0.3), (1.0, 2.0, 3.0), 512, "from a field — Wiese", "CC0")
    told = info.to_metadata()
    assert list(told) == ["nuggy"] and Info.from_metadata(told, Path("a")) == info
    assert list(json.loads(told["nuggy"])) == sorted(json.loads(told["nuggy"])) and "Wiese" in told["nuggy"]


def test_nothing_said_is_the_default_and_what_is_unknown_is_passed_over():
    assert Info.from_metadata(None, Path("a")) == Info.from_metadata({"format": "pt"}, Path("a")) == Info()
    later = json.dumps({"size": 512, "colour": "blue"})
    assert Info.from_metadata({"nuggy": later}, Path("a")) == Info(size=512)


@pytest.mark.parametrize("size,good", [(255, False), (256, True), (8192, True), (8193, False), (512.5, False)])
def test_the_size_has_bounds(size, good):
    said = {"nuggy": json.dumps({"size": size})}
    if good:
        assert Info.from_metadata(said, Path("a")).size == size
    else:
        with pytest.raises(WeightsError, match="out of range"):
            Info.from_metadata(said, Path("a"))
