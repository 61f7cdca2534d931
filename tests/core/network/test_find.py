"""Networks on this machine: found, named, opened."""

from __future__ import annotations

import pytest

from nuggy_nodes.core import WeightsError
from nuggy_nodes.core.network import find, known
from nuggy_nodes.core.network.tell import tell
from tests.core.network.tiny_onnx import FLOAT, port, write

MEAN, STD = known.IMAGENET


def test_networks_are_found_named_and_opened(tmp_path, monkeypatch):
    monkeypatch.setenv("U2NET_HOME", str(tmp_path / "u2net"))
    monkeypatch.setenv("NUGGY_MODELS", str(tmp_path / "mine"))
    for folder in ("u2net", "mine"):
        (tmp_path / folder).mkdir()
    write(tmp_path / "u2net" / "u2netp.onnx", dims=(1, 3, 320, 320))
    write(tmp_path / "mine" / "two.onnx", extra_input=port("second", FLOAT, [1, 3, 64, 64]))
    (tmp_path / "mine" / "notes.txt").write_text("no network")
    told = {f.name: (f.place, tell(f.path)) for f in find.found()}
    assert told["u2netp"][0] == "rembg" and told["u2netp"][1].licence == "Apache-2.0" and not told["u2netp"][1].runs
    assert "more than one picture" in told["two"][1].runs and "notes" not in told
    assert told["isnet-general-use-8bit"][0] == "Nuggy"
    network = find.open_network("U2NETP")
    assert network.form.size == 320 and network.info.mean == MEAN
    with pytest.raises(WeightsError, match="no network 'u3net'.*weights list"):
        find.open_network("u3net")


def test_where_rembg_keeps_its_files(tmp_path, monkeypatch):
    monkeypatch.setenv("U2NET_HOME", str(tmp_path / "mine"))
    assert find.rembg_folder() == tmp_path / "mine"
    monkeypatch.delenv("U2NET_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert find.rembg_folder() == tmp_path / ".u2net"
