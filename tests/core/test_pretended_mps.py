"""The core where tensors lie on Apple's MPS, as far as a machine without one can show it: nothing that MPS refuses, no
detour by the CPU's own ways that forget the way back, and the CPU's results."""

import copy

import pytest
import torch

from nuggy_nodes.core import Network, cutout, estimate_foreground, recipe
from nuggy_nodes.core.inpaint import crop
from nuggy_nodes.core.ops import composite
from nuggy_nodes.core.ops.colour import colour_plane
from nuggy_nodes.core.refine import learned
from nuggy_nodes.core.refine.guided_filter import guided_filter
from nuggy_nodes.core.segment.views import View
from tests.core.pretend import Pretended, PretendMPS, has_kernel

SMALL = (View(256), View(256, flip=True, pad=0.15))
ANTIALIASED = ("_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa")  # not in torch before 2.8


@pytest.fixture(autouse=True)
def lists_come_by_way_of_the_cpu(monkeypatch):
    """torch.tensor(list, device=...) asks for the device's memory where no mode can answer."""
    made = torch.tensor

    def tensor(data, *, device=None, **more):
        return made(data, **more) if device is None else made(data, **more).to(device)

    monkeypatch.setattr(torch, "tensor", tensor)


def moved(network: Network, mode: PretendMPS) -> Network:
    network = copy.deepcopy(network)
    for module in network.model.modules():
        for name, weight in module._parameters.items():
            module._parameters[name] = weight if weight is None else mode.put(weight.detach())
    return network


def test_the_pretence_refuses_what_mps_refuses():
    x = torch.rand(4, 5)
    with torch.inference_mode(), PretendMPS(lacking=["flip"]) as mps:
        y = mps.put(x)
        assert y.device.type == "mps" and isinstance(y + 1, Pretended)
        assert torch.equal((y.mT * 2).cpu(), x.mT * 2) and isinstance(x.to("mps"), Pretended)
        with pytest.raises(TypeError, match="float64"):
            y.double()
        with pytest.raises(TypeError, match="float64"):
            torch.zeros(3, dtype=torch.float64, device="mps")
        with pytest.raises(RuntimeError, match="same device"):
            y + x
        with pytest.raises(NotImplementedError):
            y.flip(0)
        y[0] = 3
        assert float(y.cpu()[0, 0]) == 3
        with pytest.raises((RuntimeError, TypeError)):
            y.numpy()
    assert has_kernel("add.Tensor") and not has_kernel("geqrf.a")


@pytest.fixture
def float32(monkeypatch):
    """The device computes in float32, so what it is compared with does."""
    monkeypatch.setattr(learned, "best_dtype", lambda network, device: torch.float32)
    learned.load_refiner.cache_clear()
    yield
    learned.load_refiner.cache_clear()


@pytest.mark.parametrize("settings,lacking", [
    ({}, ()), ({"guide": "grey", "passes": 2, "max_hole": 0.01, "combine": "mean"}, ANTIALIASED)])  # fmt: skip
def test_a_cut_out(float32, network32, chelsea, settings, lacking):
    chosen = recipe("balanced", **{"views": SMALL, **settings})
    opacity = torch.ones_like(chelsea[:, :1])
    opacity[..., :40] = 0.5
    with torch.inference_mode():
        wanted = cutout(chelsea, network32, chosen, opacity=opacity)
        with PretendMPS(lacking) as mps:
            got = cutout(mps.put(chelsea), moved(network32, mps), chosen, opacity=mps.put(opacity))
            colours = got.over(colour_plane((0.2, 0.5, 0.9), got.image))
            assert got.alpha.device.type == colours.device.type == "mps"
            assert got.islands == wanted.islands and "convolution.default" in mps.used
            off = (got.alpha.cpu() - wanted.alpha).abs(), (got.colours.cpu() - wanted.colours).abs()
    assert off[0].max() < 1e-3 and off[1].mean() < 1e-4


@pytest.mark.parametrize("lacking", [(), ANTIALIASED], ids=["now", "older torch"])
def test_tools(rng, lacking):
    image, alpha = (torch.from_numpy(rng.random((2, c, 90, 120)).astype("float32")) for c in (3, 1))

    def work(image, alpha):
        yield guided_filter(image, alpha, 7, 1e-3)
        yield estimate_foreground(image, alpha, fill=(0.1, 0.2, 0.3))
        yield estimate_foreground(image, (alpha > 0.5).float(), return_background=True)[1]
        yield composite.fit(image, 40, 70)
        yield crop.resize(image, (33, 44))

    with torch.inference_mode():
        wanted = list(work(image, alpha))
        with PretendMPS(lacking) as mps:
            for got, want in zip(work(mps.put(image), mps.put(alpha)), wanted, strict=True):
                assert got.device.type == "mps"
                torch.testing.assert_close(got.cpu(), want, atol=2e-4, rtol=0)
