"""What Nuggy asks of a network: squares in, one map out. Views, consensus, closer looks, refinement and colours stand
around anything that answers this way.

    weights.Network        IS-Net by torch
    onnx_network           an ONNX file through ONNX Runtime
    encoder                ComfyUI's objects, and whatever has their `encode_image`
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from .metadata import STRIDE, Info


@dataclass(frozen=True)
class Form:
    """Which squares a network takes, and what its answer is.

    size: the side that it was made for. fixed: it takes no other. stride: other sides are multiples of this.
    logits: whether the answer is logits, else the probability of subject. most: squares in one call (0: any number).
    measured: whether the recipes' views and constants were found with this network (IS-Net); around another one they
    are those that change nothing where its views agree (core.around).
    """

    size: int = 1024
    fixed: bool = False
    stride: int = STRIDE
    logits: bool = True
    most: int = 0
    measured: bool = False


class AnyNetwork(Protocol):
    """A network that can be worked around."""

    @property
    def info(self) -> Info:
        """What is known of it: architecture, normalisation, licence."""

    @property
    def form(self) -> Form:
        """What it takes and gives."""

    @property
    def path(self) -> Path:
        """The file that it was read from."""

    @property
    def device(self) -> torch.device:
        """Where it works; its answers lie there."""

    def see(self, squares: Tensor) -> Tensor:
        """The network's own answer to squares.

        Args:
            squares: [B,3,n,n], any device, values 0..1, at most form.most of them.

        Returns:
            float32 [B,1,m,m], m its own grid, logits or probabilities as `form` says.
        """


def probability(network: AnyNetwork, answer: Tensor) -> Tensor:
    """An answer of `see` as the probability of subject.

    Args:
        network: that answered.
        answer: [B,1,m,m].

    Returns:
        [B,1,m,m], 0..1.
    """
    return answer.sigmoid() if network.form.logits else answer.clamp(0, 1)


def normalised(squares: Tensor, info: Info) -> Tensor:
    """RGB values less the mean, by the deviation, a channel each.

    Args:
        squares: [B,3,n,n], 0..1.
        info: has mean and deviation.

    Returns:
        [B,3,n,n].
    """
    mean, std = _constants(info.mean, info.std, squares.device)
    return (squares - mean) / std


@lru_cache(maxsize=16)
def _constants(mean: tuple[float, ...], std: tuple[float, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    a, b = (torch.tensor(v).view(1, 3, 1, 1).to(device) for v in (mean, std))
    return a, b
