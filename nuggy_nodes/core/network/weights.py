"""Weights: find a file, check it, make a network of it.

Ours are safetensors whose metadata carries one JSON text under the key `nuggy` (info.py); most layers are stored in
8 bits (quantise.py). Other people's IS-Net checkpoints go through convert.py. Nothing in a file is ever executed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import WeightsError
from ..shipped import shipped
from . import checksum, convert, cudagraph
from .isnet import ISNet, layer_names
from .metadata import Info
from .precision import floating, no_eight_bits
from .protocol import Form, normalised
from .quantise import dequantise, quantise
from .steps import read_steps

log = logging.getLogger(__name__)

DEFAULT_NAME = "isnet-general-use-8bit.safetensors"
DEFAULT_SHA256 = "a757281ef042e51bf8583e52a4196c224672d0343ac19b46a64664debd722dd7"
SUFFIXES = (".safetensors", ".pth", ".pt", ".onnx")

# one million of 44 million parameters, in float16: an error here is seen most, for the maps are largest
SMALL = ("conv_in", "stage1.", "stage2.", "stage2d.", "stage1d.", "side")


@dataclass(frozen=True)
class Network:
    """IS-Net by torch, ready to run (protocol.AnyNetwork): the module, what travels with its weights, their file."""

    model: nn.Module
    info: Info
    path: Path

    @property
    def form(self) -> Form:
        """Any multiple of 32; the recipes' views were measured with it."""
        return Form(self.info.size, measured=True)

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.model.parameters()).device

    def see(self, squares: Tensor) -> Tensor:
        """protocol.AnyNetwork.see: logits on a grid of half the squares' side."""
        weight = next(self.model.parameters())
        x = normalised(squares, self.info).to(weight.device, weight.dtype, memory_format=torch.channels_last)
        return cudagraph.run(self.model, x).float()


def default_path() -> Path:
    """Where the default weights lie.

    Raises:
        WeightsError: they are missing.
    """
    return shipped(DEFAULT_NAME)


def load(
    path: str | Path | None = None, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> Network:
    """Read weights and build the network, in evaluation mode, channels-last.

    Args:
        path: a .safetensors, .pth, .pt or .onnx file (the last needs the `onnx` package); None for the default, whose
            sha256 is checked once and the verdict cached.
        device: of torch.
        dtype: of weights and arithmetic; torch.int8 for arithmetic in 8 bits on the CPU, which needs steps in the file
            (`nuggy weights calibrate`): without them it is the best floating point that the CPU has.

    Returns:
        The network.

    Raises:
        WeightsError: names the file and what is wrong.
    """
    if path is None:
        path = default_path()
        checksum.check(path, DEFAULT_SHA256)
    path = Path(path)
    state, info = read(path)
    if dtype == torch.int8:
        steps, why, dtype = read_steps(path), no_eight_bits(torch.device(device)), floating()
        if steps and not why:
            from .eight_bit import EightBit

            return Network(EightBit(build(state, path, as_stored=True), steps), info, path)
        log.info("%s runs in %s: %s", path, str(dtype).removeprefix("torch."), why or "it has no steps for 8 bits")
    return Network(build(state, path).to(device, dtype), info, path)


def read(path: Path) -> tuple[dict[str, Tensor], Info]:
    """The folded state of a weights file in float32, under the names of isnet.py.

    Args:
        path: the file.

    Returns:
        The state, and what travels with it.

    Raises:
        WeightsError: missing, damaged, or another network's.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"{path}: no such weights file")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise WeightsError(f"{path}: weights are read from {', '.join(SUFFIXES)}, not from {suffix or 'no suffix'}")
    if suffix != ".safetensors":
        return (convert.read_onnx if suffix == ".onnx" else convert.read_pth)(path)
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as f:
            metadata = f.metadata()
            raw = {k: f.get_tensor(k) for k in f.keys()}  # noqa: SIM118 (it is no dict)
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError) as e:
        raise WeightsError(f"{path}: not a whole safetensors file ({e}); copy or download it again") from e
    info = Info.from_metadata(metadata, path)
    if info.architecture != "isnet":
        raise WeightsError(f"{path}: holds weights of {info.architecture!r}; Nuggy runs 'isnet'")
    if not metadata or "nuggy" not in metadata:
        return convert.fold(raw, path), info
    return dequantise(raw, path), info


def build(state: Mapping[str, Tensor], path: Path, *, as_stored: bool = False) -> ISNet:
    """A network of the given state.

    Args:
        state: float32 tensors by the names of isnet.py.
        path: of the file, for the sentence.
        as_stored: the state's own tensors, not channels-last.

    Returns:
        The network in evaluation mode, channels-last, on the state's device.

    Raises:
        WeightsError: missing, unknown or misshapen tensors, which it lists, or values that are not finite.
    """
    with torch.device("meta"):
        model = ISNet()
    wanted = {k: tuple(v.shape) for k, v in model.state_dict().items()}
    missing = [k for k in wanted if k not in state]
    unknown = [k for k in state if k not in wanted]
    misshapen = [f"{k} is {tuple(state[k].shape)}, not {s}" for k, s in wanted.items()
                 if k in state and tuple(state[k].shape) != s]  # fmt: skip
    for what, names in (("lacks", missing), ("has unknown", unknown), ("has misshapen", misshapen)):
        if names:
            shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            raise WeightsError(f"{path}: not an IS-Net of the expected form: it {what} {shown}")
    if broken := [k for k, v in state.items() if not torch.isfinite(v).all()]:
        raise WeightsError(f"{path}: {broken[0]} has values that are NaN or infinite; the file is damaged")
    model.load_state_dict(dict(state), assign=True)
    model.requires_grad_(False).eval()
    return model if as_stored else model.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def save(state: Mapping[str, Tensor], info: Info, path: Path, *, eight_bit: bool = True) -> None:
    """Write a folded state as safetensors, whole or not at all.

    Args:
        state: float32 tensors by the names of isnet.py.
        info: what travels with them.
        path: of the file.
        eight_bit: 8 bits (about 45 MB; the small stages in float16), else float16 (88 MB).

    Raises:
        WeightsError: a state that is no IS-Net's, or a file that cannot be written.
    """
    import contextlib
    import os

    from safetensors.torch import save as to_bytes

    path = Path(path)
    build(state, path)
    small = [n for n in layer_names() if n.startswith(SMALL)] if eight_bit else layer_names()
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(to_bytes(quantise(state, small), info.to_metadata()))
        os.replace(temporary, path)
    except OSError as e:
        raise WeightsError(f"{path}: cannot be written ({e.strerror or e})") from e
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
