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

from ..errors import WeightsError
from .description import Options, describe
from .onnx_network import load_onnx
from .protocol import AnyNetwork
from .tell import CONVOLUTIONS, is_birefnet
from .weights import DEFAULT_NAME, SUFFIXES, Network, default_path, load

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
        """Its file's name without the suffix."""
        return self.path.stem


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
    """Where rembg keeps its files, by its own rule.

    Raises:
        RuntimeError: the user has no home.
    """
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
    """The file of a name or a path.

    Args:
        which: a name (with or without suffix, whatever its case), or a file.

    Returns:
        The file.

    Raises:
        WeightsError: nothing of that name is found.
    """
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

    Returns:
        The network, in evaluation mode.

    Raises:
        InputError: a device that cannot be used.
        WeightsError: what cannot be found, read or run, and what to do.
    """
    if which is None or str(which) in (DEFAULT_NAME, Path(DEFAULT_NAME).stem):
        return load(None, device, dtype)
    path = resolve(which)
    if path.suffix.lower() != ".onnx" or not path.is_file():
        if is_birefnet(path):
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
