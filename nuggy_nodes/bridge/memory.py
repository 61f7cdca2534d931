"""What a warm worker keeps: the network, and its last answers.

Between two runs on one picture mostly the refinement changes, or what becomes of the mask that is there. The network's
answer to squares that it has just seen is then taken from here; everything after it is computed as always.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict

import torch
from torch import Tensor, nn

from ..core import Network

MOST = 16  # answers of 1 MB


class Remembering(nn.Module):
    """A network that knows its last answers by the bytes of the question."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model
        self.answers: OrderedDict[bytes, Tensor] = OrderedDict()

    def forward(self, squares: Tensor) -> Tensor:
        key = _digest(squares)
        if key in self.answers:
            self.answers.move_to_end(key)
        else:
            self.answers[key] = self.model(squares)
            while len(self.answers) > MOST:
                self.answers.popitem(last=False)
        return self.answers[key].clone()


def remembering(network: Network) -> Network:
    """The same network with a memory."""
    return Network(Remembering(network.model), network.info, network.path)


def _digest(x: Tensor) -> bytes:
    raw = x.detach().cpu().contiguous().view(torch.uint8).numpy()
    return hashlib.sha256(raw).digest() + str(tuple(x.shape)).encode()  # type: ignore[arg-type]
