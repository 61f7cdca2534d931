"""Training that sees the weights as 8 bits will store them (the straight-through estimator).

Bengio, Leonard, Courville, "Estimating or Propagating Gradients Through Stochastic Neurons", 2013: the forward pass
uses the rounded weight, the gradient is handed to the exact one as if nothing had been rounded. Rounding here is to
the nearest; core/quantise.py rounds better, so what is seen is the worse case.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..core.network.weights import SMALL


def rounded(model: nn.Module) -> dict[str, Tensor]:
    """The model's parameters by name, those that quantise.py stores in 8 bits rounded; gradients pass through."""
    out: dict[str, Tensor] = {}
    for name, value in model.named_parameters():
        if value.ndim < 2 or name.startswith(SMALL):
            out[name] = value
            continue
        with torch.no_grad():
            scale = value.flatten(1).abs().amax(1).clamp(min=1e-12).view(-1, 1, 1, 1) / 127
            off = (value / scale).round() * scale - value
        out[name] = value + off
    return out
