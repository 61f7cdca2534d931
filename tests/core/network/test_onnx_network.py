"""ONNX files through ONNX Runtime: every form of input and output, what is refused, and how recipes go around them."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from nuggy_nodes.core import InputError, View, WeightsError, cutout, recipe
from nuggy_nodes.core.network import known, onnx_network
from nuggy_nodes.core.network.description import Options
from nuggy_nodes.core.network.onnx_network import choose_provider, load_onnx
from nuggy_nodes.core.network.protocol import probability
from nuggy_nodes.core.segment.predict import predict

pytest.importorskip("onnxruntime")
from tests.core.network.tiny_onnx import BYTE, FLOAT, HALF, expected, port, write

MEAN, STD = known.IMAGENET
FORMS = {
    "fixed": {},
    "logits": {"answer": "logits"},
    "half": {"kind": HALF},
    "any side": {"dims": ("b", 3, "h", "w")},
    "no channel": {"shape": "bhw"},
    "batch of two": {"dims": (2, 3, 64, 64)},
    "coarse grid": {"pool": 4},
    "side outputs first": {"outputs": 3},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_answers_as_the_graph_says(tmp_path, squares, form):
    network = load_onnx(write(tmp_path / "a.onnx", **FORMS[form]), "cpu")
    assert network.form.fixed == (form != "any side") and network.form.logits == (form == "logits")
    most = network.form.most or len(squares)
    got = torch.cat([probability(network, network.see(s)) for s in squares.split(most)])
    want = expected(squares, MEAN, STD)
    if form == "coarse grid":  # pooled before the sigmoid
        x = np.log(want / (1 - want)).reshape(3, 1, 16, 4, 16, 4).mean((3, 5))
        want = 1 / (1 + np.exp(-x))
    assert got.shape == want.shape and np.abs(got.numpy() - want).max() < (4e-3 if form == "half" else 1e-5)


def test_a_graph_that_takes_bytes_normalises_by_itself(tmp_path, squares):
    network = load_onnx(write(tmp_path / "a.onnx", kind=BYTE), "cpu")
    eight = (squares[:1] * 255).round() / 255
    between = (eight + 0.4 / 255).clamp(max=1)  # 0.4 of a step up is rounded away, and so is 0.4 down
    assert torch.equal(network.see(between), network.see(eight))
    assert torch.equal(network.see((eight - 0.4 / 255).clamp(min=0)), network.see(eight))
    assert np.abs(network.see(eight).numpy() - expected(eight, (0, 0, 0), (1, 1, 1))).max() < 1e-5


def test_what_is_refused_in_one_sentence(tmp_path):
    def refused(match, **form):
        path = write(tmp_path / "bad.onnx", **form)
        with pytest.raises(WeightsError, match=match) as e:
            load_onnx(path, "cpu")
        assert "\n" not in str(e.value) and str(path) in str(e.value) and e.value.__cause__ is None

    refused("more than one picture", extra_input=port("second", FLOAT, [1, 3, 64, 64]))
    refused("text or points besides a picture", extra_input=port("tokens", 7, [1, 77]))
    refused("64x96 pixels; Nuggy shows squares", dims=(1, 3, 96, 64))
    refused("squares of 16 pixels", dims=(1, 3, 16, 16))
    refused("Nuggy gives float", dims=(1, 4, 64, 64))
    refused("needs one map", shape="b3hw")
    refused("compiled for one processor", operator="EPContext")
    for place in ("../weights.bin", "/etc/passwd", "..\\weights.bin", "a/../../b", ""):
        refused("outside its folder", external=place)
    (tmp_path / "link.bin").symlink_to("/etc/hostname")
    refused("leads out of its folder", external="link.bin")
    refused("not beside it", external="missing.bin")


def test_a_side_that_does_not_fit_is_a_sentence(tmp_path):
    network = load_onnx(write(tmp_path / "a.onnx"), "cpu")
    with pytest.raises(WeightsError, match="does not take squares of 96x96"):
        network.see(torch.zeros(1, 3, 96, 96))


def test_a_runtime_or_provider_that_is_missing(tmp_path, monkeypatch):
    for device in ("cuda", "mps", "directml", "openvino"):
        with pytest.raises(InputError, match=f"cannot use device '{device}' .it has .*CPU"):
            choose_provider(device)
    with pytest.raises(InputError, match="no provider for device 'abacus'"):
        choose_provider("abacus")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(WeightsError, match=r"pip install 'nuggy-nodes\[onnxruntime\]'"):
        load_onnx(write(tmp_path / "a.onnx"), "cpu")


def test_views_are_shares_of_the_networks_own_size(tmp_path, monkeypatch):
    seen = []
    plain = onnx_network.OnnxNetwork.see
    monkeypatch.setattr(
        onnx_network.OnnxNetwork, "see", lambda self, x: seen.extend([x.shape[-1]] * len(x)) or plain(self, x)
    )
    image = torch.rand(1, 3, 90, 120)
    fixed = load_onnx(write(tmp_path / "a.onnx"), "cpu")
    free = load_onnx(write(tmp_path / "b.onnx", dims=("b", 3, "h", "w")), "cpu", Options(size=512))
    for network, sizes in ((fixed, [64] * 3), (free, [512, 512, 384])):
        seen.clear()
        result = cutout(image, network, "balanced")
        assert sorted(seen, reverse=True) == sizes and result.alpha.shape == (1, 1, 90, 120)
    assert predict(fixed, image, (View(1024, pad=0.15),)).shape[-1] == 64 - 2 * 8
    with pytest.raises(InputError, match="IS-Net's alone"):
        cutout(image, fixed, "demo")
    seen.clear()
    cutout(image, free, recipe("balanced", views=(View(896),)))
    assert seen == [448]


def test_balanced_is_one_plain_view_where_the_views_agree(tmp_path):
    """To the bit, at full size, everything included."""
    network = load_onnx(write(tmp_path / "a.onnx"), "cpu")
    half = torch.zeros(1, 3, 64, 64)
    half[..., 20:44, 20:44] = 1
    image = half.repeat_interleave(4, -1).repeat_interleave(4, -2)
    plain = recipe("fast", detail=recipe("balanced").detail)
    assert torch.equal(cutout(image, network, "balanced").alpha, cutout(image, network, plain).alpha)
