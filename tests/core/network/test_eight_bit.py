"""The network in 8 bits against itself in float32."""

import torch
import torch.nn.functional as F

from nuggy_nodes.core import load
from nuggy_nodes.core.network import eight_bit_check
from nuggy_nodes.core.network.eight_bit import EightBit


def test_the_network_is_near_itself_and_the_same_every_time(chelsea):
    eight, exact = load(dtype=torch.int8), load()
    assert isinstance(eight.model, EightBit) == (not eight_bit_check.works())
    square = F.interpolate(chelsea, size=(288, 288), mode="bilinear", antialias=True)  # some sides do not halve evenly
    with torch.inference_mode():
        found, wanted = eight.see(square).sigmoid(), exact.see(square).sigmoid()
        assert torch.equal(eight.see(square).sigmoid(), found)
        assert torch.equal(load(dtype=torch.int8).see(square).sigmoid(), found)
    assert found.shape == wanted.shape and (found - wanted).abs().mean() < 0.02
    assert wanted.mean() > 0.1  # there is something to be wrong about
