"""Tiny networks as ONNX files, in every form that a known one has: they see how bright a picture is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, HALF, BYTE = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.UINT8


def write(
    path: Path,
    dims=(1, 3, 64, 64),
    kind=FLOAT,
    answer="probability",
    shape="b1hw",
    outputs=1,
    extra_input=None,
    metadata=None,
    pool=1,
    external=None,
    operator=None,
) -> Path:
    """The mean of the channels, times `gain`: as logits, or a sigmoid of them. shape: b1hw, bhw or b3hw; pool: how much
    coarser the answer's grid is; outputs: how many, the others coarser; external: where `gain` is said to lie."""
    nodes = []
    source = "picture"
    if kind != FLOAT:
        nodes.append(helper.make_node("Cast", [source], ["as_float"], to=FLOAT))
        source = "as_float"
    if kind == BYTE:
        nodes.append(helper.make_node("Div", [source, "whole"], ["share"]))
        source = "share"
    axes = (
        helper.make_node("Identity", [source], ["grey"])
        if shape == "b3hw"
        else helper.make_node("ReduceMean", [source, "channel"], ["grey"], keepdims=int(shape == "b1hw"))
    )
    nodes += [axes, helper.make_node("Mul", ["grey", "gain"], ["scaled"])]
    last = "scaled"
    if pool > 1:
        nodes.append(helper.make_node("AveragePool", [last], ["pooled"], kernel_shape=[pool] * 2, strides=[pool] * 2))
        last = "pooled"
    if answer == "probability":
        nodes.append(helper.make_node("Sigmoid", [last], ["p"]))
        last = "p"
    if operator:
        nodes.append(helper.make_node(operator, [last], ["special"], domain="com.microsoft"))
        last = "special"
    nodes.append(helper.make_node("Cast", [last], ["map"], to=HALF if kind == HALF else FLOAT))
    batch, side = dims[0], (dims[2] // pool if isinstance(dims[2], int) else "n")
    made = {"b1hw": [batch, 1, side, side], "bhw": [batch, side, side], "b3hw": [batch, 3, side, side]}[shape]
    told = [helper.make_tensor_value_info("map", HALF if kind == HALF else FLOAT, made)]
    for i in range(1, outputs):
        nodes.append(helper.make_node("AveragePool", ["grey"], [f"coarse{i}"], kernel_shape=[2, 2], strides=[2, 2]))
        told.insert(0, helper.make_tensor_value_info(f"coarse{i}", FLOAT, [batch, 1, side // 2, side // 2]))
    stored = [numpy_helper.from_array(np.float32([6.0]), "gain"), numpy_helper.from_array(np.int64([1]), "channel"),
              numpy_helper.from_array(np.float32([255.0]), "whole")]  # fmt: skip
    if external is not None:
        stored[0].ClearField("raw_data")
        stored[0].data_location = TensorProto.EXTERNAL
        entry = stored[0].external_data.add()
        entry.key, entry.value = "location", external
    given = [helper.make_tensor_value_info("picture", kind, dims)] + ([extra_input] if extra_input else [])
    graph = helper.make_graph(nodes, "tiny", given, told, stored)
    domains = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=domains, ir_version=8)
    if metadata:
        helper.set_model_props(model, metadata)
    path.write_bytes(model.SerializeToString())
    return path


def expected(squares, mean, std, gain=6.0, channels=(0.485, 0.456, 0.406)):
    """What the network of a file answers, as a probability, in float64."""
    x = (np.asarray(squares, np.float64) - np.reshape(mean, (1, 3, 1, 1))) / np.reshape(std, (1, 3, 1, 1))
    return 1 / (1 + np.exp(-gain * x.mean(1, keepdims=True)))


def port(name, kind, dims):
    return helper.make_tensor_value_info(name, kind, dims)


def load_and_truncate(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


__all__ = ["BYTE", "FLOAT", "HALF", "expected", "load_and_truncate", "onnx", "port", "write"]
