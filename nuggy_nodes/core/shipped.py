"""Files that come with Nuggy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from .errors import WeightsError

if TYPE_CHECKING:  # files are also looked for where torch is not wanted
    from torch import nn

Module = TypeVar("Module", bound="nn.Module")


def shipped(name: str) -> Path:
    """A file of the repository's `weights/`, or of the installed package's.

    Args:
        name: of the file.

    Returns:
        Its path.

    Raises:
        WeightsError: it is in neither.
    """
    here = Path(__file__).resolve().parents[1]
    for folder in (here.parent / "weights", here / "weights"):
        if (folder / name).is_file():
            return folder / name
    raise WeightsError(
        f"the default weights {name} are not in {here.parent / 'weights'}; reinstall Nuggy, or make the file with "
        "`nuggy weights import` (weights/README.md has the commands)"
    )


def load_shipped(name: str, build: Callable[[], Module]) -> Module:
    """A small network that comes with Nuggy.

    Args:
        name: of its safetensors file.
        build: makes the network; its values are the file's.

    Returns:
        The network in evaluation mode, float32, on the CPU.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = shipped(name)
    with torch.device("meta"):  # the user's random numbers are not to be touched
        network = build()
    try:
        network.load_state_dict({k: v.float() for k, v in load_file(path).items()}, assign=True)
    except (SafetensorError, OSError, RuntimeError, ValueError) as e:
        raise WeightsError(f"{path}: is not a whole network of Nuggy's ({str(e).splitlines()[0]}); reinstall") from e
    return network.requires_grad_(False).eval()
