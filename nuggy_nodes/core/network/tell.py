"""What a network's file is and whether it runs here, told without running it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ..errors import NuggyError
from ..shipped import shipped
from .description import describe
from .metadata import Info
from .weights import DEFAULT_NAME

BIREFNET = "bb.layers.1.blocks.0.attn.relative_position_index"  # by which ComfyUI, too, knows a BiRefNet
CONVOLUTIONS = 119  # of IS-Net


@dataclass(frozen=True)
class Told:
    """What a file is. runs: "" where it runs here, else why not."""

    architecture: str
    licence: str
    size: str
    runs: str
    use: str = ""


def tell(path: Path) -> Told:
    """What a file is, without running it and without reading all of it.

    Args:
        path: the file.

    Returns:
        What is known; of a file that cannot be read, why.
    """
    suffix = path.suffix.lower()
    try:
        if path.name == DEFAULT_NAME and path == shipped(DEFAULT_NAME):
            return Told("IS-Net", "Apache-2.0", "1024", "", "anything; the default")
        if suffix == ".onnx":
            return _tell_onnx(path)
        if is_birefnet(path):
            return Told("BiRefNet", "MIT (its authors' weights)", "1024", "in ComfyUI, or take its ONNX file")
        if suffix == ".safetensors":
            from safetensors import safe_open

            with safe_open(path, framework="pt") as f:
                info, keys = Info.from_metadata(f.metadata(), path), set(f.keys())
            if not any(k.removeprefix("module.").startswith("stage1.rebnconvin") for k in keys):
                return Told("unknown", "unknown", "", "it is no IS-Net")
            return Told("IS-Net", info.licence, str(info.size), "")
        return Told("a PyTorch checkpoint", "unknown", "", "", "runs if it is an IS-Net")
    except NuggyError as e:
        return Told("unknown", "unknown", "", str(e).removeprefix(f"{path}: "))
    except Exception as e:  # of safetensors and of file systems: a listing goes on
        return Told("unknown", "unknown", "", f"cannot be read ({str(e)[:80]})")


def is_birefnet(path: Path) -> bool:
    """Whether a safetensors file holds a BiRefNet.

    Args:
        path: the file.

    Returns:
        Whether it does; False also where it cannot be read, which is said where it is read.
    """
    if path.suffix.lower() != ".safetensors":
        return False
    from safetensors import safe_open

    try:
        with safe_open(path, framework="pt") as f:
            return BIREFNET in f.keys()  # noqa: SIM118 (it is no dict)
    except Exception:  # what is wrong with it is said where it is read
        return False


def _tell_onnx(path: Path) -> Told:
    about = describe(path, quiet=True)
    isnet = about.graph.convolutions == CONVOLUTIONS
    runs = "" if find_spec("onnxruntime") or (isnet and find_spec("onnx")) else "needs nuggy-nodes[onnxruntime]"
    name = "IS-Net" if isnet and not about.known else about.info.architecture
    size = str(about.size) if about.fixed else f"{about.size}, any"
    return Told(name, about.info.licence, size, runs, about.known.use if about.known else "")
