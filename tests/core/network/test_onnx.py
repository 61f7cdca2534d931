"""ONNX files through ONNX Runtime: every form of input and output, what is refused, and how recipes go around them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from nuggy_nodes.core import InputError, View, WeightsError, cutout, recipe
from nuggy_nodes.core.network import description, find, known, onnx_file, onnx_network
from nuggy_nodes.core.network.description import Options, describe
from nuggy_nodes.core.network.encoder import EncoderNetwork
from nuggy_nodes.core.network.onnx_network import choose_provider, load_onnx
from nuggy_nodes.core.network.protocol import probability
from nuggy_nodes.core.segment.predict import predict

pytest.importorskip("onnxruntime")
sys.path.insert(0, str(Path(__file__).parent))
import tiny_onnx
from tiny_onnx import BYTE, FLOAT, HALF, expected, port, write

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


@pytest.fixture
def squares(rng):
    return torch.from_numpy(rng.random((3, 3, 64, 64)).astype(np.float32))


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
    assert np.abs(network.see(eight).numpy() - expected(eight, (0, 0, 0), (1, 1, 1))).max() < 1e-5


def test_how_it_is_normalised_in_order_of_trust(tmp_path, squares, caplog):
    def mean_of(path, **said):
        return describe(path, Options(**said)).info.mean

    (tmp_path / "deep").mkdir()
    path = write(tmp_path / "deep" / "x.onnx")
    assert mean_of(path) == MEAN and "ImageNet" in caplog.text
    config = {"image_mean": [0.5, 0.5, 0.5], "image_std": [1, 1, 1], "size": {"height": 64, "width": 64}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(config))
    assert mean_of(path) == (0.5, 0.5, 0.5)
    named = write(tmp_path / "isnet-anime.onnx", dims=("b", 3, "h", "w"))
    about = describe(named)
    assert (about.info.mean, about.info.std, about.size) == (*known.ANIME, 1024)
    said = json.dumps({"architecture": "mine", "mean": [0.1] * 3, "std": [0.2] * 3, "size": 512, "licence": "CC0"})
    own = describe(write(tmp_path / "own.onnx", dims=("b", 3, "h", "w"), metadata={"nuggy": said}))
    assert (own.info.mean, own.size, own.info.licence) == ((0.1,) * 3, 512, "CC0")
    assert mean_of(named, mean=(0.3, 0.3, 0.3)) == (0.3, 0.3, 0.3)


def test_a_row_of_the_table_is_all_that_a_new_network_takes(tmp_path, monkeypatch):
    row = known.Known("newcomer", "New", known.HALF, 64, False, "", "MIT", "example.org", "anything")
    monkeypatch.setitem(description.BY_NAME, "newcomer", row)
    network = load_onnx(write(tmp_path / "newcomer.onnx"), "cpu")
    grey = torch.full((1, 3, 64, 64), 0.5)
    assert network.see(grey).sub(0.5).abs().max() < 1e-6 and network.info.licence == "MIT"


def test_a_file_is_known_by_its_checksum(tmp_path, monkeypatch):
    path = write(tmp_path / "renamed.onnx")
    md5, sha256 = description.checksums(path)
    for checksum in (md5, sha256):
        row = known.Known("u", "U", known.HALF, 64, False, checksum, "MIT", "x", "y")
        with monkeypatch.context() as patch:
            patch.setitem(description.BY_CHECKSUM, checksum, row)
            assert description.identify(path) is row
    assert all(len(k.checksum) in (32, 64) for k in known.KNOWN) and len(known.BY_CHECKSUM) == len(known.KNOWN)


def test_outputs_by_name_first_and_largest(tmp_path):
    path = write(tmp_path / "a.onnx", outputs=3)
    chosen = {said: describe(path, Options(output=said)).output.name for said in ("", "largest", "first", "coarse1")}
    assert chosen == {"": "map", "largest": "map", "first": "coarse2", "coarse1": "coarse1"}
    with pytest.raises(WeightsError, match="no output 'nothing'; it has coarse2, coarse1, map"):
        describe(path, Options(output="nothing"))


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


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file(tmp_path, share):
    path = tiny_onnx.load_and_truncate(write(tmp_path / "a.onnx"), share)
    with pytest.raises(WeightsError) as e:
        load_onnx(path, "cpu")
    assert "\n" not in str(e.value)


def test_bytes_that_mean_nothing_end_in_a_sentence(tmp_path, rng):
    good = write(tmp_path / "good.onnx").read_bytes()
    for i in range(300):
        data = bytearray(good)
        for at in rng.integers(0, len(good), 1 + i % 5):
            data[at] = rng.integers(256)
        path = tmp_path / "bad.onnx"
        path.write_bytes(data)
        try:
            onnx_file.read(path)
        except WeightsError:
            pass


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
    assert torch.equal(cutout(image, network, "balanced").alpha, cutout(image, network, "fast").alpha)


class Encoder:
    """ComfyUI core's contract: resizes, rounds to 8 bits, answers at the picture's size."""

    image_size, model_type = 128, "stand-in"

    def encode_image(self, image):
        assert image.shape[1:] == (128, 128, 3)
        x = (image * 255).round() / 255
        return torch.sigmoid(12 * (x.mean(-1) - 0.5))


def test_an_object_with_comfyuis_contract():
    network = EncoderNetwork(Encoder())
    assert network.info.architecture == "stand-in" and network.form.size == 128 and network.form.most == 1
    image = torch.rand(2, 3, 128, 128)
    got = predict(network, image)
    assert torch.equal(got, Encoder().encode_image(image.movedim(1, -1))[:, None])
    assert cutout(image, network, "balanced").alpha.shape == (2, 1, 128, 128)

    class Wrong(Encoder):
        def encode_image(self, image):
            return image

    with pytest.raises(InputError, match="answers a picture of 128x128 with"):
        predict(EncoderNetwork(Wrong()), image)


def test_networks_are_found_named_and_opened(tmp_path, monkeypatch):
    monkeypatch.setenv("U2NET_HOME", str(tmp_path / "u2net"))
    monkeypatch.setenv("NUGGY_MODELS", str(tmp_path / "mine"))
    for folder in ("u2net", "mine"):
        (tmp_path / folder).mkdir()
    write(tmp_path / "u2net" / "u2netp.onnx", dims=(1, 3, 320, 320))
    write(tmp_path / "mine" / "two.onnx", extra_input=port("second", FLOAT, [1, 3, 64, 64]))
    (tmp_path / "mine" / "notes.txt").write_text("no network")
    told = {f.name: (f.place, find.tell(f.path)) for f in find.found()}
    assert told["u2netp"][0] == "rembg" and told["u2netp"][1].licence == "Apache-2.0" and not told["u2netp"][1].runs
    assert "more than one picture" in told["two"][1].runs and "notes" not in told
    assert told["isnet-general-use-8bit"][0] == "Nuggy"
    network = find.open_network("U2NETP")
    assert network.form.size == 320 and network.info.mean == MEAN
    with pytest.raises(WeightsError, match="no network 'u3net'.*weights list"):
        find.open_network("u3net")


def test_a_birefnet_in_safetensors_is_told_where_it_runs(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "birefnet.safetensors"
    save_file({find.BIREFNET: torch.zeros(2)}, path)
    assert find.tell(path).architecture == "BiRefNet"
    with pytest.raises(WeightsError, match="ComfyUI's Load Background Removal Model"):
        find.open_network(path)
