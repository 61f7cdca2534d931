"""Reading other people's IS-Net checkpoints: PyTorch state dicts and ONNX graphs, batch norms folded.

Folding: a convolution W, b followed by a batch norm with mean m, variance v, weight g, bias h computes
g (Wx + b - m) / sqrt(v + 1e-5) + h, which is a convolution with W g/sqrt(v + 1e-5) and the bias
(b - m) g/sqrt(v + 1e-5) + h.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import WeightsError
from .isnet import layer_names
from .metadata import Info

BN_EPSILON = 1e-5
LARGEST = 1 << 24  # values of a tensor; IS-Net's largest has 4.7 million


def fold(raw: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """A state dict as the authors' code writes it to isnet.py's names, batch norms folded.

    Args:
        raw: tensors by name (`conv_s1`/`bn_s1`, maybe under `module.`).
        path: of the file, for the sentence.

    Returns:
        float32 weights and biases by the names of isnet.py.

    Raises:
        WeightsError: a tensor is missing or unknown.
    """
    state = {k.removeprefix("module."): v.detach().float() for k, v in raw.items() if v.is_floating_point()}
    out: dict[str, Tensor] = {}
    for name in layer_names():
        layer = f"{name}.conv_s1" if f"{name}.conv_s1.weight" in state else name
        norm = f"{name}.bn_s1"
        if f"{layer}.weight" not in state:
            raise WeightsError(
                f"{path}: not an IS-Net checkpoint: it lacks {name}.conv_s1.weight (it has {len(state)} tensors, "
                f"the first is {next(iter(state), 'none')})"
            )
        weight = state.pop(f"{layer}.weight")
        bias = state.pop(f"{layer}.bias", torch.zeros(weight.shape[0]))
        if f"{norm}.weight" in state:
            keys = [f"{norm}.{k}" for k in ("running_mean", "running_var", "weight", "bias")]
            lost = [k for k in keys if k not in state]
            if lost:
                raise WeightsError(f"{path}: the batch norm of {name} lacks {lost[0]}")
            mean, var, gain, shift = (state.pop(k) for k in keys)
            factor = gain * torch.rsqrt(var + BN_EPSILON)
            weight, bias = weight * factor.view(-1, 1, 1, 1), (bias - mean) * factor + shift
        out[f"{name}.weight"], out[f"{name}.bias"] = weight, bias
    if state:
        raise WeightsError(
            f"{path}: not an IS-Net checkpoint: it has the unknown {next(iter(state))} ({len(state)} such)"
        )
    return out


def read_pth(path: Path) -> tuple[dict[str, Tensor], Info]:
    """A PyTorch state dict, plain or under `model_state_dict` or `state_dict`. Only tensors are unpickled.

    A training checkpoint with `model_state_dict` is how the Nuggy demo saved its fine-tuned weights, which take
    pixels 0..1 as they are (mean 0); a plain state dict is the authors' (mean 0.5). `nuggy weights import --mean` says
    otherwise where that is wrong.

    Args:
        path: the file.

    Returns:
        The folded state (`fold`), and what is known of it.

    Raises:
        WeightsError: damaged, another network's, or with anything but tensors in it.
    """
    import pickle

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickle protocols
            raw: Any = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as e:
        raise WeightsError(
            f"{path}: refused: the pickle holds something other than tensors, which could run code ({first_line(e)}); "
            "ask for a plain state dict or a safetensors file"
        ) from e
    except Exception as e:  # what a damaged pickle makes of itself has no bounds
        raise WeightsError(f"{path}: not a whole PyTorch file ({first_line(e)}); copy or download it again") from e
    info = Info(lineage=f"imported from {path.name}")
    if isinstance(raw, dict) and isinstance(raw.get("model_state_dict"), dict):
        raw, info = raw["model_state_dict"], Info(mean=(0.0, 0.0, 0.0), lineage=f"imported from {path.name}")
    elif isinstance(raw, dict) and isinstance(raw.get("state_dict"), dict):
        raw = raw["state_dict"]
    if not isinstance(raw, dict) or not raw or not all(isinstance(v, Tensor) for v in raw.values()):
        raise WeightsError(f"{path}: holds a {type(raw).__name__}, not a state dict of tensors")
    _check_state(raw, path)
    return fold(raw, path), info


def _check_state(raw: Mapping[Any, Tensor], path: Path) -> None:
    """Names are text, tensors are dense, here, and of a size that an IS-Net's can be. Raises WeightsError."""
    for key, value in raw.items():
        if not isinstance(key, str):
            raise WeightsError(f"{path}: not a state dict: a tensor's name is {str(key)[:40]!r}, which is no text")
        if value.layout != torch.strided or value.is_quantized or value.is_nested or value.device.type != "cpu":
            raise WeightsError(f"{path}: {key[:80]} is no plain tensor ({value.layout}); save it dense")
        if value.numel() > LARGEST:
            raise WeightsError(f"{path}: not an IS-Net checkpoint: {key[:80]} has {value.numel()} values")


def read_onnx(path: Path | str, data: bytes | None = None) -> tuple[dict[str, Tensor], Info]:
    """An ONNX graph of IS-Net, float32 or float16.

    The convolutions are taken in the graph's order, whatever their names, and must have the shapes of isnet.py's in
    the order of its forward pass; a batch norm after one is folded. Needs the `onnx` package (extra `onnx`).

    Args:
        path: the file.
        data: its bytes where they are not the file at `path`.

    Returns:
        The folded state (`fold`), and what is known of it.

    Raises:
        WeightsError: damaged, another network's, or the package is missing.
    """
    path = Path(path)
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as e:
        raise WeightsError(f"{path}: reading .onnx needs the onnx package: pip install onnx") from e
    try:
        source = path if data is None else io.BytesIO(data)
        graph = onnx.load(source, load_external_data=False).graph  # type: ignore[arg-type]
    except Exception as e:  # protobuf's own exception types differ between its versions
        raise WeightsError(f"{path}: not a whole ONNX file ({first_line(e)}); copy or download it again") from e
    if any(t.data_location == onnx.TensorProto.EXTERNAL for t in graph.initializer):
        raise WeightsError(f"{path}: its weights lie in another file; export it as one file")
    stored = {t.name: t for t in graph.initializer}
    stored |= {n.output[0]: n.attribute[0].t for n in graph.node if n.op_type == "Constant" and n.attribute[0].t.dims}

    def tensor(name: str) -> Tensor:
        if name not in stored:
            raise WeightsError(f"{path}: the graph computes {name} at run time; export it with plain constants")
        return torch.from_numpy(numpy_helper.to_array(stored[name]).astype("float32"))

    convolutions = [n for n in graph.node if n.op_type == "Conv"]
    norms = {n.input[0]: n for n in graph.node if n.op_type == "BatchNormalization"}
    order = layer_names()
    if len(convolutions) != len(order):
        raise WeightsError(f"{path}: not an IS-Net graph: it has {len(convolutions)} convolutions, IS-Net {len(order)}")
    raw: dict[str, Tensor] = {}
    for name, node in zip(order, convolutions):
        raw[f"{name}.weight"] = tensor(node.input[1])
        if len(node.input) > 2 and node.input[2]:
            raw[f"{name}.bias"] = tensor(node.input[2])
        if node.output[0] in norms:
            for key, source_name in zip(
                ("weight", "bias", "running_mean", "running_var"), norms[node.output[0]].input[1:5]
            ):
                raw[f"{name}.bn_s1.{key}"] = tensor(source_name)
    return fold(raw, path), Info(lineage=f"imported from {path.name}")


def first_line(e: BaseException) -> str:
    """What an exception says, in one printable line.

    Args:
        e: the exception.

    Returns:
        At most 200 characters; its type's name where it says nothing.
    """
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(e)).strip()  # torch speaks in bold
    return "".join(c for c in text.splitlines()[0][:200] if c.isprintable()) if text else type(e).__name__
