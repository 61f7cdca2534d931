"""The steps of a network's maps in 8 bits (calibrate.py), kept in its weights' file as float32 tensors `NAME.step`."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import torch
from torch import Tensor

from ..errors import WeightsError
from .isnet import ISNet
from .quantise import STEP


def read_steps(path: Path) -> dict[str, Tensor]:
    """The steps in a weights file.

    Args:
        path: the file.

    Returns:
        By name of the map, steps [C]; empty where it has none.

    Raises:
        WeightsError: some are missing, have another shape, or are no steps.
    """
    if path.suffix.lower() != ".safetensors":
        return {}
    from safetensors import safe_open

    with safe_open(path, framework="pt") as f:
        steps = {k.removesuffix(STEP): f.get_tensor(k) for k in f.keys() if k.endswith(STEP)}  # noqa: SIM118
    if steps:
        _check(steps, path)
    return steps


def add_steps(path: Path, steps: dict[str, Tensor]) -> None:
    """Put steps into a weights file of Nuggy's in place of those that it has; all else in it stays to the bit.

    Args:
        path: the file.
        steps: by name of the map, [C], float32.

    Raises:
        WeightsError: it is no such file, or cannot be written.
    """
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import save

    _check(steps, path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with safe_open(path, framework="pt") as f:
            metadata = f.metadata()
            kept = {k: f.get_tensor(k) for k in f.keys() if not k.endswith(STEP)}  # noqa: SIM118
        if not metadata or "nuggy" not in metadata:
            raise WeightsError(f"{path}: not a weights file of Nuggy's; `nuggy weights import` makes one of it")
        temporary.write_bytes(save(kept | {k + STEP: v.contiguous() for k, v in steps.items()}, metadata))
        os.replace(temporary, path)
    except (OSError, SafetensorError) as e:
        raise WeightsError(f"{path}: cannot be read or written ({e})") from e
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _check(steps: dict[str, Tensor], path: Path) -> None:
    from .eight_bit import map_names

    with torch.device("meta"):
        model = ISNet()
    wanted = {n: _channels(model, n) for n in map_names(model)}
    wrong = [n for n in wanted.keys() | steps.keys() if n not in steps or steps[n].shape != (wanted.get(n),)]
    wrong += [n for n, v in steps.items() if v.dtype != torch.float32 or not ((v > 0) & v.isfinite()).all()]
    if wrong:
        raise WeightsError(f"{path}: its 8-bit steps do not fit IS-Net ({min(wrong)}); calibrate it again")


def _channels(model: ISNet, name: str) -> int:
    module = model.get_submodule(name)
    layer = getattr(module, "rebnconvin", module)
    return int(layer.out_channels)  # type: ignore[arg-type]
