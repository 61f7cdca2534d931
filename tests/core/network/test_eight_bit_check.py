"""Which 8-bit arithmetic a processor has, on this one and as others."""

import os
import subprocess
import sys

import pytest
import torch

from nuggy_nodes.core import load
from nuggy_nodes.core.network import eight_bit_check as check
from nuggy_nodes.core.network.eight_bit import EightBit
from nuggy_nodes.core.network.eight_bit_ops import NARROW, WIDE, Convolution

AS_ANOTHER = """
import torch, torch.nn.functional as F
from torch import nn
from nuggy_nodes.core.network.eight_bit_check import arithmetic
from nuggy_nodes.core.network.eight_bit_ops import Convolution
room, why = arithmetic()
layer = nn.Conv2d(64, 32, 3, padding=1)
drawn = torch.Generator().manual_seed(1)
with torch.no_grad():  # whole numbers, of which two beside each other have all the room there is: no step is rounded
    layer.weight.copy_(torch.randint(-31, 32, layer.weight.shape, generator=drawn).float())
    layer.weight[:, :2] = room // 2
x = torch.randint(0, 256, (1, 64, 20, 24), generator=drawn).to(torch.uint8)
x[:, :2] = 255
x = x.contiguous(memory_format=torch.channels_last)
exact = F.conv2d(x.double(), layer.weight.double(), layer.bias.double(), padding=1)
with torch.inference_mode():
    found = "" if why else Convolution(layer, torch.ones(64), None, relu=False, room=room)(x)
print(room, "right" if not why and (found - exact).abs().max() < 0.5 else why or "wrong")
"""


@pytest.mark.skipif(sys.platform == "darwin", reason="oneDNN's limit is for x86")
@pytest.mark.parametrize("limit", ["AVX2", "AVX2_VNNI", "AVX512_CORE", "DEFAULT"])
def test_as_another_processor_sums_are_right(limit):
    """oneDNN's own limit on what it takes of the processor, in a process of its own."""
    run = subprocess.run([sys.executable, "-c", AS_ANOTHER], capture_output=True, text=True, check=True,
                         env={**os.environ, "ONEDNN_MAX_CPU_ISA": limit})  # fmt: skip
    told = run.stdout.strip()
    if check.works():
        assert "8-bit" in told
    else:
        assert told in (f"{NARROW} right", f"{WIDE} right") and (limit != "AVX2" or told.startswith(str(NARROW)))


@pytest.mark.parametrize("apart,room,why", [(1, NARROW, ""), (4, WIDE, "overflow"), (8, WIDE, "overflow")])
def test_a_processor_that_adds_two_products_in_16_bits(monkeypatch, apart, room, why):
    """Modelled: channels beside each other are a pair, as on processors without VNNI; pairs of channels farther apart,
    for which the weights have no room, are found out."""

    def made(self, layer, before, after, relu=True, room=WIDE):
        self.weight, self.after = layer.weight.detach(), after

    def cut(total):
        return total.clamp(-32768, 32767)

    def sums(self, x):
        products = 255 * self.weight.sum((2, 3)) / 9  # of each place: all nine are alike
        pairs = products.view(len(products), -1, 2, apart)
        row = 9 * cut(pairs.sum(2)).flatten(1).sum(1)
        answer = row + 3 if self.after is None else (row / self.after).clamp(0, 255)
        return answer.view(1, -1, 1, 1).expand(1, -1, 8, 8)

    def added(self, residual, x):
        return torch.full((1, 16, 8, 8), round(255 * 4 / 9) + 1)

    for name, kind in (("__init__", made), ("__call__", sums), ("added_to", added)):
        monkeypatch.setattr(Convolution, name, kind)
    check.arithmetic.cache_clear()
    try:
        found = check.arithmetic()
    finally:
        check.arithmetic.cache_clear()
    assert found[0] == room and why in found[1] and bool(found[1]) == bool(why)


def test_operators_that_are_not_there_and_sums_that_overflow(monkeypatch):
    def missing(*_):
        raise RuntimeError("no such operator")

    def overflows(self, x):
        return torch.full((1, 16, 8, 8), 32767.0 * 36 + 3)

    check.arithmetic.cache_clear()
    told = check.works()
    for broken, word in ((missing, "no such operator"), (overflows, "overflow")):
        with monkeypatch.context() as patch:
            patch.setattr(Convolution, "__call__", broken)
            patch.setattr(Convolution, "added_to", lambda self, residual, x: residual)
            check.arithmetic.cache_clear()
            assert word in check.works()
            assert not isinstance(load(dtype=torch.int8).model, EightBit)  # floating point instead
    check.arithmetic.cache_clear()
    assert check.works() == told
