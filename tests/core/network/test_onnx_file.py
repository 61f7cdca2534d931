"""An ONNX file's graph, read without running it: what is refused, whatever its bytes."""

from __future__ import annotations

import pytest
from onnx import helper

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


def test_a_graph_is_told_as_it_was_made(tmp_path):
    graph = onnx_file.read(write(tmp_path / "a.onnx", dims=("b", 3, 64, 64), metadata={"nuggy": "{}"}))
    assert [str(p) for p in graph.inputs] == ["picture (float32 ?x3x64x64)"]  # stored values are no inputs
    assert [str(p) for p in graph.outputs] == ["map (float32 ?x1x64x64)"]
    assert graph.operators == {"ReduceMean", "Mul", "Sigmoid", "Cast"} and graph.convolutions == 0
    assert graph.metadata == {"nuggy": "{}"} and graph.stored == {"gain", "channel", "whole"} and not graph.outside
    assert str(onnx_file.Port("x", "uint8", ())) == "x (uint8 any shape)"


@pytest.mark.parametrize(("answer", "sigmoid"), [("probability", True), ("logits", False)])
def test_a_sigmoid_is_found_behind_what_passes_it_on(tmp_path, answer, sigmoid):
    graph = onnx_file.read(write(tmp_path / "a.onnx", answer=answer))
    assert graph.ends_in_sigmoid("map") == sigmoid and not graph.ends_in_sigmoid("nothing")
    ring = onnx_file.Graph(made_by={"a": ("Cast", "b"), "b": ("Identity", "a")})
    assert not ring.ends_in_sigmoid("a")


def test_convolutions_are_counted_in_graphs_within_graphs(tmp_path):
    inner = helper.make_graph([helper.make_node("Conv", ["x", "w"], ["y"])] * 2, "inner", [], [])
    nodes = [helper.make_node("If", ["c"], ["z"], then_branch=inner), helper.make_node("Conv", ["z", "w"], ["map"])]
    given, made = (helper.make_tensor_value_info(n, 1, [1, 3, 64, 64]) for n in ("picture", "map"))
    path = tmp_path / "a.onnx"
    path.write_bytes(helper.make_model(helper.make_graph(nodes, "g", [given], [made])).SerializeToString())
    graph = onnx_file.read(path)
    assert graph.convolutions == 3 and graph.made_by["map"] == ("Conv", "z") and "y" not in graph.made_by


@pytest.mark.parametrize(
    ("place", "words"),
    [("../w.bin", "outside its folder"), ("/etc/passwd", "outside its folder"), ("a\\..\\..\\b", "outside its folder"),
     ("link.bin", "leads out of its folder"), ("missing.bin", "not beside it"), ("below/w.bin", "")],
)  # fmt: skip
def test_weights_in_another_file_lie_beside_it(tmp_path, place, words):
    folder = tmp_path / "networks"
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "w.bin").write_bytes(b"x")
    (tmp_path / "w.bin").write_bytes(b"x")
    (folder / "link.bin").symlink_to(tmp_path / "w.bin")
    path = write(folder / "a.onnx", external=place)
    if words:
        with pytest.raises(WeightsError, match=words):
            onnx_file.read(path)
    else:
        assert onnx_file.read(path).outside == {place}
