"""An ONNX file as a network, through ONNX Runtime (extra `onnxruntime`).

ONNX Runtime gets a file after description.describe was content with it. It runs on the provider that is nearest to the
device asked for; pictures go to it and maps come back through the main memory.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError, WeightsError
from .description import Description, Options, describe
from .metadata import STRIDE, Info
from .protocol import Form, normalised

log = logging.getLogger(__name__)

INSTALL = "pip install 'nuggy-nodes[onnxruntime]' (or onnxruntime-gpu, -directml, -openvino in its place)"
PROVIDERS = {  # by torch's kinds of device and by words of their own; the first that is there
    "cuda": ("CUDAExecutionProvider", "ROCMExecutionProvider", "MIGraphXExecutionProvider"),
    "rocm": ("ROCMExecutionProvider", "MIGraphXExecutionProvider"),
    "mps": ("CoreMLExecutionProvider",),
    "coreml": ("CoreMLExecutionProvider",),
    "xpu": ("OpenVINOExecutionProvider",),
    "openvino": ("OpenVINOExecutionProvider",),
    "directml": ("DmlExecutionProvider",),
    "cpu": ("CPUExecutionProvider",),
}
AUTO = ("cuda", "directml", "coreml", "openvino", "cpu")
KINDS = {"float32": np.float32, "float16": np.float16}


def runtime() -> Any:
    """The onnxruntime package.

    Raises:
        WeightsError: it is missing; says how it is had.
    """
    try:
        import onnxruntime
    except ImportError as e:
        raise WeightsError(f"running .onnx networks needs ONNX Runtime: {INSTALL}") from e
    return onnxruntime


def choose_provider(device: str = "auto") -> str:
    """The execution provider for a device.

    Args:
        device: auto, cpu, cuda, mps, or rocm, coreml, openvino, directml.

    Returns:
        ONNX Runtime's name of it.

    Raises:
        InputError: this ONNX Runtime lacks it.
        WeightsError: there is no ONNX Runtime.
    """
    there = runtime().get_available_providers()
    kind = device.partition(":")[0]
    wanted = AUTO if kind == "auto" else (kind,)
    if not set(wanted) <= PROVIDERS.keys():
        raise InputError(f"ONNX Runtime has no provider for device {device!r}; choose from {', '.join(PROVIDERS)}")
    found = next((p for k in wanted for p in PROVIDERS[k] if p in there), None)
    if found is None:
        has = ", ".join(p.removesuffix("ExecutionProvider") for p in there)
        raise InputError(
            f"this ONNX Runtime cannot use device {device!r} (it has {has}); install the one that can, or give "
            "--device cpu"
        )
    return found


@dataclass(frozen=True)
class OnnxNetwork:
    """A network in an ONNX Runtime session."""

    session: Any
    about: Description
    path: Path
    provider: str
    device = torch.device("cpu")

    @property
    def info(self) -> Info:
        """What is known of the file."""
        return self.about.info

    @property
    def form(self) -> Form:
        """What the graph takes and gives."""
        a = self.about
        return Form(a.size, a.fixed, STRIDE, a.logits, a.most)

    def see(self, squares: Tensor) -> Tensor:
        """protocol.AnyNetwork.see. Raises WeightsError where the graph does not take the squares or gives no map."""
        x = squares.float().cpu()
        if self.about.input.kind == "uint8":  # the graph normalises by itself
            fed = (x.clamp(0, 1) * 255).round().byte().numpy()
        else:
            fed = normalised(x, self.info).contiguous().numpy().astype(KINDS[self.about.input.kind], copy=False)
        fixed = self.about.most
        count = len(fed)
        if fixed and count < fixed:
            fed = np.concatenate([fed, np.repeat(fed[-1:], fixed - count, 0)])
        try:
            (answer,) = self.session.run([self.about.output.name], {self.about.input.name: fed})
        except Exception as e:  # onnxruntime's own kinds differ between its versions
            told = " ".join(str(e).split())
            if "allocat" in told.lower() or "memory" in told.lower():
                raise MemoryError(told[:200]) from e
            side = squares.shape[-1]
            raise WeightsError(f"{self.path}: does not take squares of {side}x{side} pixels ({told[:200]})") from e
        return self._map(np.asarray(answer), len(fed))[:count]

    def _map(self, answer: np.ndarray, count: int) -> Tensor:
        shape = answer.shape
        if answer.dtype == np.uint8:
            answer = answer.astype(np.float32) / 255
        height, width = shape[-2:] if len(shape) > 1 else (0, 0)
        if height != width or answer.size != count * height * width or not height:
            raise WeightsError(f"{self.path}: answers {count} squares with {list(shape)}; a map is [batch, 1, n, n]")
        made = torch.from_numpy(np.ascontiguousarray(answer, np.float32)).reshape(count, 1, height, width)
        if not bool(torch.isfinite(made).all()):
            raise WeightsError(f"{self.path}: answers with NaN or infinite values; its precision may not suffice")
        return made


def load_onnx(path: Path, device: str = "auto", options: Options = Options()) -> OnnxNetwork:  # noqa: B008
    """An ONNX file ready to run.

    Args:
        path: of the file; weights in other files must lie beside it.
        device: as choose_provider takes it.
        options: what is known of it better than the file and the table say.

    Returns:
        The network.

    Raises:
        InputError: a device that ONNX Runtime lacks.
        WeightsError: ONNX Runtime is missing; the file is damaged, unsafe, or no network of one picture and one map.
    """
    about = describe(path, options)
    provider = choose_provider(device)
    ort = runtime()
    set_up = ort.SessionOptions()
    set_up.log_severity_level = 3
    set_up.intra_op_num_threads = torch.get_num_threads()
    providers = (
        [provider] if provider == "CPUExecutionProvider" else [_with_number(provider, device), "CPUExecutionProvider"]
    )
    try:
        session = ort.InferenceSession(str(Path(path).resolve()), set_up, providers=providers)
    except Exception as e:  # onnxruntime's own kinds differ between its versions
        raise WeightsError(f"{path}: ONNX Runtime cannot run it ({' '.join(str(e).split())[:240]})") from e
    if session.get_providers()[0] != provider:
        told = f"{provider} is installed and does not start here"
        if device != "auto":
            raise InputError(f"{told}; give --device cpu, or see to its libraries")
        log.warning("%s: %s runs it", told, session.get_providers()[0])
        provider = session.get_providers()[0]
    return OnnxNetwork(session, about, Path(path), provider)


def _with_number(provider: str, device: str) -> Any:
    number = device.partition(":")[2]
    return (provider, {"device_id": number}) if number.isdigit() else provider
