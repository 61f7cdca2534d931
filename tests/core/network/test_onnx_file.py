"""An ONNX file's graph, read without running it: what is refused, whatever its bytes."""

from __future__ import annotations

import pytest

from nuggy_nodes.core import WeightsError
from nuggy_nodes.core.network import onnx_file
from nuggy_nodes.core.network.onnx_network import load_onnx
from tests.core.network import tiny_onnx
from tests.core.network.tiny_onnx import write


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file(tmp_path, share):
    path = tiny_onnx.load_and_truncate(write(tmp_path / "a.onnx"), share)
    with pytest.raises(WeightsError) as e:
        load_onnx(path, "cpu")
    assert "\n" not in str(e.value)


def test_bytes_that_mean_nothing_end_in_a_sentence(tmp_path, rng):
    good = write(tmp_path / "good.onnx").read_bytes()
    for i in range(300):
        data = bytearray(good)
        for at in rng.integers(0, len(good), 1 + i % 5):
            data[at] = rng.integers(256)
        path = tmp_path / "bad.onnx"
        path.write_bytes(data)
        try:
            onnx_file.read(path)
        except WeightsError:
            pass
