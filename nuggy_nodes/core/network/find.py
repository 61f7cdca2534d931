"""Networks on this machine: where they lie, what each is, whether it runs here, and opening one by name or file.

Looked into are the weights that come with Nuggy, the folders that NUGGY_MODELS names, rembg's folder (U2NET_HOME,
else ~/.u2net), and `models/nuggy` and `models/background_removal` of the ComfyUI that this copy lies in, or of
~/ComfyUI. Nothing is downloaded, and listing runs nothing.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import torch

from ..errors import NuggyError, WeightsError
from ..shipped import shipped
from .description import Options, describe
from .metadata import Info
from .onnx_network import load_onnx
from .protocol import AnyNetwork
from .weights import DEFAULT_NAME, SUFFIXES, Network, default_path, load

BIREFNET = "bb.layers.1.blocks.0.attn.relative_position_index"  # by which ComfyUI, too, knows a BiRefNet
CONVOLUTIONS = 119  # of IS-Net
IN_COMFYUI = (
    "holds a BiRefNet, which ComfyUI's Load Background Removal Model runs (connect it to Nuggy TTA Mask); elsewhere "
    "take its ONNX file, for example rembg's birefnet-general.onnx"
)


@dataclass(frozen=True)
class Found:
    """A network's file. place: whose folder it lies in."""

    path: Path
    place: str

    @property
    def name(self) -> str:
        return self.path.stem


@dataclass(frozen=True)
class Told:
    """What a file is. runs: "" where it runs here, else why not."""

    architecture: str
    licence: str
    size: str
    runs: str
    use: str = ""


def places() -> list[tuple[str, Path]]:
    """Folders in which networks are looked for, with whose they are."""
    out = []
    with contextlib.suppress(WeightsError):
        out.append(("Nuggy", default_path().parent))
    out += [("NUGGY_MODELS", Path(p)) for p in os.environ.get("NUGGY_MODELS", "").split(os.pathsep) if p]
    with contextlib.suppress(RuntimeError):
        out.append(("rembg", rembg_folder()))
    root = Path(__file__).resolve().parents[3]
    bases = [root.parent.parent] if root.parent.name == "custom_nodes" else []
    with contextlib.suppress(RuntimeError):  # a user without a home
        bases.append(Path.home() / "ComfyUI")
    out += [("ComfyUI", b / "models" / folder) for b in bases for folder in ("nuggy", "background_removal")]
    return out


def rembg_folder() -> Path:
    """Where rembg keeps its files, by its own rule. Raises RuntimeError where the user has no home."""
    base = os.environ.get("U2NET_HOME") or str(Path(os.environ.get("XDG_DATA_HOME") or "~") / ".u2net")
    return Path(base).expanduser()


def found() -> Iterator[Found]:
    """The files in all places, each once."""
    seen: set[Path] = set()
    for place, folder in places():
        with contextlib.suppress(OSError):
            for path in sorted(folder.iterdir()):
                if path.suffix.lower() in SUFFIXES and path.is_file() and path.resolve() not in seen:
                    seen.add(path.resolve())
                    yield Found(path, place)


def resolve(which: str | Path) -> Path:
    """The file of a name (with or without suffix, whatever its case) or a path. Raises WeightsError."""
    path = Path(which)
    if path.is_file() or len(path.parts) > 1:
        return path
    named = [f for f in found() if str(which).lower() in (f.name.lower(), f.path.name.lower())]
    if named:
        return named[0].path
    if path.suffix.lower() in SUFFIXES:
        raise WeightsError(f"{which}: no such weights file; `nuggy weights list` shows what is there")
    raise WeightsError(f"there is no network {str(which)!r} on this machine; `nuggy weights list` shows what is there")


def open_network(
    which: str | Path | None = None,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    *,
    provider: str = "",
    options: Options = Options(),  # noqa: B008
) -> AnyNetwork:
    """A network ready to run.

    Args:
        which: a name or a file; None for the default weights.
        device, dtype: of torch, where torch runs it (IS-Net).
        provider: of ONNX Runtime, as onnx_network.choose_provider takes it; "" for the device's.
        options: what is known of an ONNX file better than it says itself.

    Raises:
        InputError: a device that cannot be used.
        WeightsError: what cannot be found, read or run, and what to do.
    """
    if which is None or str(which) in (DEFAULT_NAME, Path(DEFAULT_NAME).stem):
        return load(None, device, dtype)
    path = resolve(which)
    if path.suffix.lower() != ".onnx" or not path.is_file():
        if _is_birefnet(path):
            raise WeightsError(f"{path}: {IN_COMFYUI}")
        return load(path, device, dtype)
    if describe(path, options, quiet=True).graph.convolutions == CONVOLUTIONS and find_spec("onnx"):
        try:
            return _isnet(path, device, dtype, options)
        except WeightsError:  # another network with as many convolutions
            pass
    return load_onnx(path, provider or str(device), options)


def _isnet(path: Path, device: torch.device | str, dtype: torch.dtype, options: Options) -> Network:
    """IS-Net's own graph in torch's network, normalised as the table or the caller says."""
    network, said = load(path, device, dtype), describe(path, options, quiet=True)
    info = network.info
    if said.known:
        info = replace(said.info, architecture=info.architecture)
    return replace(network, info=replace(info, mean=options.mean or info.mean, std=options.std or info.std))


def tell(path: Path) -> Told:
    """What a file is, without running it and without reading all of it."""
    suffix = path.suffix.lower()
    try:
        if path.name == DEFAULT_NAME and path == shipped(DEFAULT_NAME):
            return Told("IS-Net", "Apache-2.0", "1024", "", "anything; the default")
        if suffix == ".onnx":
            return _tell_onnx(path)
        if _is_birefnet(path):
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


def _tell_onnx(path: Path) -> Told:
    about = describe(path, quiet=True)
    isnet = about.graph.convolutions == CONVOLUTIONS
    runs = "" if find_spec("onnxruntime") or (isnet and find_spec("onnx")) else "needs nuggy-nodes[onnxruntime]"
    name = "IS-Net" if isnet and not about.known else about.info.architecture
    size = str(about.size) if about.fixed else f"{about.size}, any"
    return Told(name, about.info.licence, size, runs, about.known.use if about.known else "")


def _is_birefnet(path: Path) -> bool:
    if path.suffix.lower() != ".safetensors":
        return False
    from safetensors import safe_open

    try:
        with safe_open(path, framework="pt") as f:
            return BIREFNET in f.keys()  # noqa: SIM118 (it is no dict)
    except Exception:  # what is wrong with it is said where it is read
        return False
