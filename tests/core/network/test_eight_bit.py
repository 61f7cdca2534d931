"""Arithmetic in 8 bits: each operator against torch's floating point, the network against itself in float32."""

import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import nn

from nuggy_nodes.cli import main
from nuggy_nodes.core import WeightsError, load
from nuggy_nodes.core.network import calibrate as calibration
from nuggy_nodes.core.network import eight_bit_ops as ops
from nuggy_nodes.core.network import steps as stored
from nuggy_nodes.core.network.eight_bit import EightBit
from nuggy_nodes.core.network.weights import default_path

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
        found = ops.Convolution(layer, torch.ones(16), after, relu=False).added_to(residual, x)
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


def test_operators_that_are_not_there_and_sums_that_overflow(monkeypatch):
    def missing(*_):
        raise RuntimeError("no such operator")

    def overflows(self, x):
        return torch.full((1, 16, 8, 8), 32767.0 * 72 + 3)

    ops.works.cache_clear()
    told = ops.works()
    for broken, word in ((missing, "no such operator"), (overflows, "overflow")):
        with monkeypatch.context() as patch:
            patch.setattr(ops.Convolution, "__call__", broken)
            ops.works.cache_clear()
            assert word in ops.works()
            assert not isinstance(load(dtype=torch.int8).model, EightBit)  # floating point instead
    ops.works.cache_clear()
    assert ops.works() == told


def test_the_network_is_near_itself_and_the_same_every_time(chelsea):
    eight, exact = load(dtype=torch.int8), load()
    assert isinstance(eight.model, EightBit) == (not ops.works())
    square = F.interpolate(chelsea, size=(288, 288), mode="bilinear", antialias=True)  # some sides do not halve evenly
    with torch.inference_mode():
        found, wanted = eight.see(square).sigmoid(), exact.see(square).sigmoid()
        assert torch.equal(eight.see(square).sigmoid(), found)
        assert torch.equal(load(dtype=torch.int8).see(square).sigmoid(), found)
    assert found.shape == wanted.shape and (found - wanted).abs().mean() < 0.02
    assert wanted.mean() > 0.1  # there is something to be wrong about


def test_a_step_is_the_one_of_least_error():
    values = torch.rand(3, 500, generator=torch.Generator().manual_seed(2)) ** 6 * torch.tensor([[1.0], [5.0], [0.0]])
    highest = values.amax(1)
    found = calibration._step(values, highest)

    def error(channel, step):
        return sum((min(round(float(v) / step), 255) * step - float(v)) ** 2 for v in values[channel])

    for channel in (0, 1):
        tried = [float(highest[channel]) * share / 255 for share in calibration.SHARES]
        assert error(channel, float(found[channel])) <= min(error(channel, t) for t in tried) * 1.001
    assert found[2] > 0


def test_calibrated_by_the_command_line(tmp_path, chelsea):
    from PIL import Image

    path, photographs = tmp_path / "own.safetensors", tmp_path / "photographs"
    path.write_bytes(default_path().read_bytes())
    photographs.mkdir()
    pixels = (chelsea[0] * 255).byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).resize((96, 64)).save(photographs / "a.png")
    assert main(["weights", "calibrate", str(path), "--photographs", str(tmp_path)]) == 1  # none lie there
    assert main(["weights", "calibrate", str(path), "--photographs", str(photographs)]) == 0
    old, new = stored.read_steps(default_path()), stored.read_steps(path)
    assert old.keys() == new.keys() and not torch.equal(old["stage1"], new["stage1"])
    with safe_open(path, "pt") as a, safe_open(default_path(), "pt") as b:
        assert a.metadata() == b.metadata() and set(a.keys()) == set(b.keys())
        name = "stage3.rebnconv2.weight"
        assert torch.equal(a.get_tensor(name), b.get_tensor(name))


def test_steps_that_do_not_fit_are_named(tmp_path):
    path = tmp_path / "own.safetensors"
    path.write_bytes(default_path().read_bytes())
    good = stored.read_steps(path)
    for change in ({"stage2": torch.ones(3)}, {"stage2": torch.zeros(128)}, {"stage9": torch.ones(3)}):
        with pytest.raises(WeightsError, match="calibrate it again"):
            stored.add_steps(path, good | change)
    assert stored.read_steps(path).keys() == good.keys()
