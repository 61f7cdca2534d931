"""Weights in 8 bits: one integer a weight, one scale an output channel; arithmetic stays floating point.

Rounding is not to the nearest throughout. Activations after a ReLU are positive and vary slowly over a 3x3 window, so
what an error of the weights does is mostly its sum over the window, and then its sum over the input channels. The
rounding of a few weights, those nearest to a half, is turned the other way so that these sums vanish to within half a
step (Guo et al., "SQuant: On-the-Fly Data-Free Quantization via Diagonal Hessian Approximation", ICLR 2022). It
needs no data, is deterministic, and divides the change of the mask by three at no cost in bytes. Layers that are small
are stored in float16 instead (`keep`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..errors import WeightsError

SCALE = ".scale"
STEP = ".step"  # of a map, for arithmetic in 8 bits (steps.py); no part of the weights


def quantise(state: Mapping[str, Tensor], keep: Collection[str] = ()) -> dict[str, Tensor]:
    """A state of float tensors to the stored form.

    A weight [out,in,k,k] becomes int8 under its own name and float32 [out] scales under name + '.scale'; layers named
    in `keep` and biases become float16 and float32.

    Args:
        state: float tensors by name.
        keep: names of layers (`stage1.rebnconv1`).

    Returns:
        What is stored, by name.
    """
    out: dict[str, Tensor] = {}
    for name, value in state.items():
        value = value.detach().float().contiguous()
        if value.ndim < 2:
            out[name] = value
        elif name.removesuffix(".weight") in keep:
            out[name] = value.half()
        else:
            rows = value.flatten(1)
            scale = rows.abs().amax(1).clamp(min=1e-12) / 127
            out[name] = _steps(rows, scale, value.shape[1]).to(torch.int8).reshape(value.shape)
            out[name + SCALE] = scale
    return out


def dequantise(stored: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The stored form back to float32.

    Args:
        stored: tensors by name.
        path: of the file, for the sentence.

    Returns:
        float32 tensors by name.

    Raises:
        WeightsError: a scale is missing or does not fit, or a tensor is of another type.
    """
    out: dict[str, Tensor] = {}
    for name, value in stored.items():
        if name.endswith((SCALE, STEP)):
            continue
        if value.dtype == torch.int8:
            scale = stored.get(name + SCALE)
            if scale is None or scale.shape != value.shape[:1]:
                raise WeightsError(
                    f"{path}: {name} is 8-bit but has no scale for each of its {value.shape[0]} channels"
                )
            out[name] = value.float().mul_(scale.view(-1, *[1] * (value.ndim - 1)))
        elif value.is_floating_point():
            out[name] = value.float()
        else:
            raise WeightsError(f"{path}: {name} is stored as {value.dtype}; expected float or 8-bit integers")
    return out


def _steps(rows: Tensor, scale: Tensor, inputs: int) -> Tensor:
    """rows [out, inputs*k*k] in whole steps of `scale` [out], with vanishing sums a window and a channel."""
    exact = (rows.double() / scale[:, None].double()).view(
        len(rows), inputs, -1
    )  # sums that no machine rounds otherwise
    steps = exact.round().clamp_(-127, 127)
    steps += _turns(exact - steps)
    left = exact - steps
    by_window = left.sum(-1)
    turned = _turns(by_window)  # which windows of a channel take one more step, and in which direction
    element = (left * turned.sum(-1).sign()[:, None, None]).argmax(-1, keepdim=True)
    steps.scatter_add_(-1, element, turned[..., None])
    return steps.clamp_(-127, 127).flatten(1)


def _turns(left: Tensor) -> Tensor:
    """For each last-axis group whose remainders sum to about n, +-1 for its n largest remainders of that sign."""
    lacking = left.sum(-1, keepdim=True).round()
    order = (left * lacking.sign()).argsort(dim=-1, descending=True, stable=True)
    rank = order.argsort(dim=-1, stable=True)
    return torch.where(rank < lacking.abs(), lacking.sign(), torch.zeros_like(lacking))
