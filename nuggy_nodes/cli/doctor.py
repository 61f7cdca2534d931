"""`nuggy doctor`: what this machine gives Nuggy, and what is missing."""

from __future__ import annotations

import argparse
import importlib.util
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def add_parser(commands: Any) -> None:
    p = commands.add_parser("doctor", help="say which device, precision and weights are used, and what is missing")
    p.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    wrong = 0
    for state, what, text in _findings():
        wrong += state == "WRONG"
        print(f"{state:6} {what:10} {text}")
    return 1 if wrong else 0


def _findings() -> Iterator[tuple[str, str, str]]:
    import torch

    from .. import __version__, process
    from ..core import choose_device, choose_precision
    from ..core.errors import NuggyError
    from ..core.network import checksum, weights
    from ..core.ops.opencv import opencv

    yield "ok", "nuggy", f"{__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    process.keep_to_quota()
    yield "ok", "torch", f"{torch.__version__}, {torch.get_num_threads()} threads"
    device = choose_device()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    yield "ok", "device", f"{device.type} ({name})"
    yield "ok", "precision", str(choose_precision(device)).removeprefix("torch.")
    yield _eight_bits(device)
    try:
        path = weights.default_path()
        checksum.check(path, weights.DEFAULT_SHA256, fresh=True)
        state, _ = weights.read(path)
        weights.build(state, path)
        yield "ok", "weights", f"{path} ({path.stat().st_size / 1e6:.1f} MB, sha256 as expected)"
    except NuggyError as e:
        yield "WRONG", "weights", str(e)
    if importlib.util.find_spec("PIL") is None:
        yield "WRONG", "PIL", "needed: pip install pillow"
    if opencv() is None:
        yield "note", "cv2", "OpenCV is missing or cannot be loaded; slower on a CPU, no recipe demo, no training"
    if importlib.util.find_spec("onnx") is None:
        yield "note", "onnx", "not installed; needed only to import .onnx weights (pip install 'nuggy-nodes[onnx]')"
    yield _onnxruntime()
    yield _networks()
    yield _comfyui()
    yield _gimp()


def _eight_bits(device: torch.device) -> tuple[str, str, str]:
    from ..core.network.precision import no_eight_bits, verdict

    if why := no_eight_bits(device):
        return "note", "8 bits", f"not used: {why}"
    return "ok", "8 bits", "faster here" if verdict().int8 else "not faster here, so not used unless asked for"


def _onnxruntime() -> tuple[str, str, str]:
    from ..core.errors import NuggyError
    from ..core.network.onnx_network import choose_provider, runtime

    try:
        there = [p.removesuffix("ExecutionProvider") for p in runtime().get_available_providers()]
        taken = choose_provider().removesuffix("ExecutionProvider")
        return "ok", "onnxruntime", f"{runtime().__version__}, has {', '.join(there)}; takes {taken}"
    except NuggyError as e:
        return "note", "onnxruntime", f"not installed; {e}"


def _networks() -> tuple[str, str, str]:
    from ..core.network import find
    from ..core.network.tell import tell

    told = [(f.name, tell(f.path).runs) for f in find.found()]
    cannot = [name for name, why in told if why]
    text = f"{len(told)} on this machine" + (f", of which do not run here: {', '.join(cannot)}" if cannot else "")
    return "ok", "networks", text + " (`nuggy weights list`)"


def _comfyui() -> tuple[str, str, str]:
    root = Path(__file__).resolve().parents[2]
    if root.parent.name == "custom_nodes":
        return "ok", "ComfyUI", f"this copy lies in {root.parent}"
    return "note", "ComfyUI", f"to use the nodes, put this repository into ComfyUI/custom_nodes (this copy: {root})"


def _gimp() -> tuple[str, str, str]:
    found = next((p for p in map(shutil.which, ("gimp-3.2", "gimp-3.0", "gimp-3", "gimp")) if p), None)
    return ("ok", "GIMP", found) if found else ("note", "GIMP", "no gimp on the PATH; the filter needs GIMP 3")
