"""Other people's checkpoints: folded as convolution and batch norm are, and refused when they are not what they say."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest
import torch

from nuggy_nodes.core import WeightsError
from nuggy_nodes.core.network import weights
from nuggy_nodes.core.network.isnet import ISNet, layer_names


def test_folding_is_convolution_then_batch_norm(authors_state, folded):
    name = "stage3.rebnconv2"
    s = {k.removeprefix(name + "."): v for k, v in authors_state.items() if k.startswith(name + ".")}
    x = torch.rand(1, s["conv_s1.weight"].shape[1], 9, 9)
    expected = torch.nn.functional.batch_norm(
        torch.conv2d(x, s["conv_s1.weight"], s["conv_s1.bias"]),
        s["bn_s1.running_mean"], s["bn_s1.running_var"], s["bn_s1.weight"], s["bn_s1.bias"],
    )  # fmt: skip
    got = torch.conv2d(x, folded[f"{name}.weight"], folded[f"{name}.bias"])
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("wrap,mean", [(None, 0.5), ("model_state_dict", 0.0), ("state_dict", 0.5)])
def test_state_dicts_of_the_authors_and_of_the_seed(tmp_path, authors_state, folded, wrap, mean):
    path = tmp_path / "isnet.pth"
    torch.save({wrap: authors_state, "epoch": 3} if wrap else authors_state, path)
    state, info = weights.read(path)
    assert info.mean == (mean,) * 3
    assert all(torch.equal(state[k], folded[k]) for k in folded)
    assert isinstance(weights.load(path).model, ISNet)


def test_data_parallel_prefix(tmp_path, authors_state, folded):
    torch.save({f"module.{k}": v for k, v in authors_state.items()}, tmp_path / "p.pth")
    assert torch.equal(weights.read(tmp_path / "p.pth")[0]["side1.weight"], folded["side1.weight"])


def onnx_graph(folded, authors_state, half, named, constants, norms):
    """A graph with IS-Net's convolutions in order; only what the reader looks at (it is never run)."""
    import onnx
    from onnx import helper, numpy_helper

    kind = np.float16 if half else np.float32
    nodes, stored = [], []

    def put(name, value):
        tensor = numpy_helper.from_array(value.numpy().astype(kind), name)
        if constants:
            nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        else:
            stored.append(tensor)
        return name

    for i, name in enumerate(layer_names()):
        source = authors_state if norms and f"{name}.bn_s1.weight" in authors_state else folded
        layer = f"{name}.conv_s1" if source is authors_state else name
        inputs = [f"x{i}", put(f"w{i}", source[f"{layer}.weight"]), put(f"b{i}", source[f"{layer}.bias"])]
        nodes.append(helper.make_node("Conv", inputs, [f"y{i}"], name=f"/{name}/Conv" if named else ""))
        if source is authors_state:
            keys = ("weight", "bias", "running_mean", "running_var")
            parts = [put(f"n{i}.{k}", authors_state[f"{name}.bn_s1.{k}"]) for k in keys]
            nodes.append(helper.make_node("BatchNormalization", [f"y{i}", *parts], [f"z{i}"]))
    nodes.append(helper.make_node("Concat", ["y0"], ["out"], axis=1))
    graph = helper.make_graph(nodes, "isnet", [], [], stored)
    return helper.make_model(graph), onnx


@pytest.mark.parametrize(
    "half,named,constants,norms", [(True, True, False, False), (False, False, True, False), (False, False, False, True)]
)
def test_onnx_graphs(tmp_path, authors_state, folded, half, named, constants, norms):
    model, onnx = onnx_graph(folded, authors_state, half, named, constants, norms)
    onnx.save(model, tmp_path / "isnet.onnx")
    state, info = weights.read(tmp_path / "isnet.onnx")
    assert info.mean == (0.5, 0.5, 0.5)
    for k, v in folded.items():
        torch.testing.assert_close(state[k], v.half().float() if half else v, atol=0, rtol=0)


def test_onnx_of_another_network(tmp_path):
    import onnx
    from onnx import helper

    graph = helper.make_graph([helper.make_node("Conv", ["x", "w"], ["y"])], "g", [], [])
    onnx.save(helper.make_model(graph), tmp_path / "u2net.onnx")
    with pytest.raises(WeightsError, match=r"u2net\.onnx.*1 convolutions"):
        weights.read(tmp_path / "u2net.onnx")
    (tmp_path / "cut.onnx").write_bytes(b"\x08\x07\x12\xff\xff")
    with pytest.raises(WeightsError, match=r"cut\.onnx.*not a whole ONNX"):
        weights.read(tmp_path / "cut.onnx")


class Mischief:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_with_code_is_refused_and_nothing_runs(tmp_path, legacy):
    path, trap = tmp_path / "evil.pth", tmp_path / "trap"
    if legacy:
        path.write_bytes(pickle.dumps({"state_dict": Mischief(trap)}))
    else:
        torch.save({"weight": torch.zeros(1), "extra": Mischief(trap)}, path)
    with pytest.raises(WeightsError, match=r"evil\.pth"):
        weights.load(path)
    assert not trap.exists()
