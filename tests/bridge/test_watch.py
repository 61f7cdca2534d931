"""Progress within a pass, whatever arithmetic the network runs in."""

import torch

from nuggy_nodes.bridge.watch import CONVOLUTIONS, Watch
from nuggy_nodes.core import load
from nuggy_nodes.core.network.eight_bit import EightBit
from nuggy_nodes.core.network.eight_bit_check import works


def test_every_convolution_of_a_pass_counts() -> None:
    """One side output of six is computed, so five of the convolutions are not. In 8 bits the first two are one, and
    both again along each side of the picture (core/network/entry.py)."""
    square = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    for dtype in (torch.float32, torch.int8):
        network = load(dtype=dtype)
        assert isinstance(network.model, EightBit) == (dtype == torch.int8 and not works())
        watch = Watch(lambda *_: None)
        with torch.inference_mode(), watch:
            watch.of_network(0, 2, 1.0)
            network.see(square)
        more = -1 + 2 * 4 if isinstance(network.model, EightBit) else 0
        assert watch.convolutions == 2 * (CONVOLUTIONS - 5 + more)
