"""Operators in 8 bits, each against torch's floating point."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nuggy_nodes.core.network import eight_bit_ops as ops
from nuggy_nodes.core.network.eight_bit_check import works

LIMIT = 127  # of activations here: with two such products no processor overflows


def maps(channels, height, width, seed=0):
    drawn = torch.randint(0, LIMIT + 1, (1, channels, height, width), generator=torch.Generator().manual_seed(seed))
    return drawn.to(torch.uint8).contiguous(memory_format=torch.channels_last)


@pytest.fixture
def layer():
    torch.manual_seed(3)
    made = nn.Conv2d(16, 24, 3, padding=2, dilation=2)
    with torch.no_grad():
        made.weight.copy_(torch.randint(-127, 128, made.weight.shape).float())
        made.weight[:, 0, 0, 0] = 127.0  # every channel's step is 1: nothing is rounded
    return made


def test_a_convolution_is_the_integers_own(layer):
    x, steps = maps(16, 9, 11), torch.linspace(0.5, 2, 16)
    scaled = nn.Conv2d(16, 24, 3, padding=2, dilation=2)
    with torch.no_grad():
        scaled.weight.copy_(layer.weight / steps.view(1, -1, 1, 1))
        scaled.bias.copy_(layer.bias)
    exact = F.conv2d(x.double(), layer.weight.double(), layer.bias.double(), padding=2, dilation=2)
    with torch.inference_mode():
        found = ops.Convolution(scaled, steps, None, relu=False)(x)
        assert torch.allclose(found.double(), exact, rtol=2e-6, atol=0.1)
        after = torch.full((24,), float(exact.detach().amax()) / 200)
        whole = ops.Convolution(scaled, steps, after)(x)
    wanted = (exact / after[0].double()).clamp(0, 255)
    assert whole.dtype == torch.uint8 and (whole.double() - wanted).abs().max() <= 0.5001


def test_a_residual_is_added_to_what_the_relu_left(layer):
    x, residual = maps(16, 8, 8), maps(24, 8, 8, 1)
    exact = F.conv2d(x.double(), layer.weight.double(), layer.bias.double(), padding=2, dilation=2)
    after = torch.full((24,), float(exact.detach().amax()) / 120)
    before = residual.clone()
    with torch.inference_mode():
        try:
            found = ops.Convolution(layer, torch.ones(16), after, relu=False).added_to(residual, x)
        except RuntimeError:  # torch before 2.5 has the operator in another form: then it is told, and not used
            assert "has no 8-bit convolutions" in works()
            return
    wanted = (exact / after[0].double()).clamp(min=0) + residual.double()
    assert (found.double() - wanted.clamp(max=255)).abs().max() <= 0.5001 and torch.equal(residual, before)


@pytest.mark.parametrize("size", [(8, 8), (7, 8), (9, 5), (1, 1)])
def test_pooling(size):
    x = maps(16, *size)
    assert torch.equal(ops.pool(x).float(), F.max_pool2d(x.float(), 2, stride=2, ceil_mode=True))


@pytest.mark.parametrize("small,large", [((6, 8), (12, 16)), ((1, 1), (2, 2)), ((5, 4), (9, 8)), ((7, 7), (7, 7))])
@pytest.mark.parametrize("chunk", [1, 1 << 17])
def test_joining(small, large, chunk, monkeypatch):
    monkeypatch.setattr(ops, "CHUNK", chunk)  # strips of one row, and one strip
    y, skip = maps(16, *small), maps(8, *large, 1)
    found = ops.join(y, skip)
    exact = F.interpolate(y.double(), size=large, mode="bilinear", align_corners=False)
    assert torch.equal(found[:, 16:], skip) and found.is_contiguous(memory_format=torch.channels_last)
    assert (found[:, :16].double() - exact).abs().max() <= 0.50001


def test_two_weights_beside_each_other_have_no_more_room_than_they_are_given():
    """Rows of every kind: the real ones of a layer, one large weight, and channels that fill no group."""
    torch.manual_seed(5)
    for channels in (16, 6):
        weight = torch.randn(24, channels, 3, 3)
        weight[0], weight[1, 2, 1, 1] = 1.0, 40.0
        for room in (ops.WIDE, ops.NARROW):
            steps = ops._largest_step(weight, room)
            whole = ops._diffused(weight.flatten(1) / steps[:, None]).view(weight.shape)
            assert whole.abs().max() <= 127
            padded = F.pad(whole.abs(), (0, 0, 0, 0, 0, -channels % 4)).unflatten(1, (-1, 4))
            most = int(padded.topk(2, 2).values.sum(2).max())
            assert 255 * most <= 32767 if room == ops.NARROW else most > 200
    assert (ops._largest_step(weight, ops.NARROW) >= ops._largest_step(weight, ops.WIDE)).all()
