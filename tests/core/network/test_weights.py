import json
import os
import pickle
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from nuggy_nodes.core import WeightsError
from nuggy_nodes.core.network import checksum, convert, weights
from nuggy_nodes.core.network.isnet import ISNet, layer_names
from nuggy_nodes.core.network.metadata import Info


@pytest.fixture(scope="module")
def authors_state():
    """A state dict as the authors' code names it, of random values: `conv_s1` and `bn_s1`."""
    torch.manual_seed(3)
    state = {}
    shapes = {k: v.shape for k, v in ISNet().state_dict().items()}
    for name in layer_names():
        bare = name == "conv_in" or name.startswith("side")
        layer = name if bare else f"{name}.conv_s1"
        state[f"{layer}.weight"] = torch.randn(shapes[f"{name}.weight"]) * 0.05
        state[f"{layer}.bias"] = torch.randn(shapes[f"{name}.bias"])
        if not bare:
            n = shapes[f"{name}.bias"]
            state |= {f"{name}.bn_s1.weight": torch.rand(n) + 0.5, f"{name}.bn_s1.bias": torch.randn(n),
                      f"{name}.bn_s1.running_mean": torch.randn(n), f"{name}.bn_s1.running_var": torch.rand(n) + 0.1,
                      f"{name}.bn_s1.num_batches_tracked": torch.tensor(7)}  # fmt: skip
    return state


@pytest.fixture(scope="module")
def folded(authors_state, tmp_path_factory):
    return convert.fold(authors_state, tmp_path_factory.mktemp("x") / "x.pth")


def test_folding_is_convolution_then_batch_norm(authors_state, folded):
    name = "stage3.rebnconv2"
    s = {k.removeprefix(name + "."): v for k, v in authors_state.items() if k.startswith(name + ".")}
    x = torch.rand(1, s["conv_s1.weight"].shape[1], 9, 9)
    expected = torch.nn.functional.batch_norm(
        torch.conv2d(x, s["conv_s1.weight"], s["conv_s1.bias"]),
        s["bn_s1.running_mean"], s["bn_s1.running_var"], s["bn_s1.weight"], s["bn_s1.bias"],
    )  # fmt: skip
    got = torch.conv2d(x, folded[f"{name}.weight"], folded[f"{name}.bias"])
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("wrap,mean", [(None, 0.5), ("model_state_dict", 0.0), ("state_dict", 0.5)])
def test_state_dicts_of_the_authors_and_of_the_seed(tmp_path, authors_state, folded, wrap, mean):
    path = tmp_path / "isnet.pth"
    torch.save({wrap: authors_state, "epoch": 3} if wrap else authors_state, path)
    state, info = weights.read(path)
    assert info.mean == (mean,) * 3
    assert all(torch.equal(state[k], folded[k]) for k in folded)
    assert isinstance(weights.load(path).model, ISNet)


def test_data_parallel_prefix(tmp_path, authors_state, folded):
    torch.save({f"module.{k}": v for k, v in authors_state.items()}, tmp_path / "p.pth")
    assert torch.equal(weights.read(tmp_path / "p.pth")[0]["side1.weight"], folded["side1.weight"])


def onnx_graph(folded, authors_state, half, named, constants, norms):
    """A graph with IS-Net's convolutions in order; only what the reader looks at (it is never run)."""
    import onnx
    from onnx import helper, numpy_helper

    kind = np.float16 if half else np.float32
    nodes, stored = [], []

    def put(name, value):
        tensor = numpy_helper.from_array(value.numpy().astype(kind), name)
        if constants:
            nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        else:
            stored.append(tensor)
        return name

    for i, name in enumerate(layer_names()):
        source = authors_state if norms and f"{name}.bn_s1.weight" in authors_state else folded
        layer = f"{name}.conv_s1" if source is authors_state else name
        inputs = [f"x{i}", put(f"w{i}", source[f"{layer}.weight"]), put(f"b{i}", source[f"{layer}.bias"])]
        nodes.append(helper.make_node("Conv", inputs, [f"y{i}"], name=f"/{name}/Conv" if named else ""))
        if source is authors_state:
            keys = ("weight", "bias", "running_mean", "running_var")
            parts = [put(f"n{i}.{k}", authors_state[f"{name}.bn_s1.{k}"]) for k in keys]
            nodes.append(helper.make_node("BatchNormalization", [f"y{i}", *parts], [f"z{i}"]))
    nodes.append(helper.make_node("Concat", ["y0"], ["out"], axis=1))
    graph = helper.make_graph(nodes, "isnet", [], [], stored)
    return helper.make_model(graph), onnx


@pytest.mark.parametrize(
    "half,named,constants,norms", [(True, True, False, False), (False, False, True, False), (False, False, False, True)]
)
def test_onnx_graphs(tmp_path, authors_state, folded, half, named, constants, norms):
    model, onnx = onnx_graph(folded, authors_state, half, named, constants, norms)
    onnx.save(model, tmp_path / "isnet.onnx")
    state, info = weights.read(tmp_path / "isnet.onnx")
    assert info.mean == (0.5, 0.5, 0.5)
    for k, v in folded.items():
        torch.testing.assert_close(state[k], v.half().float() if half else v, atol=0, rtol=0)


def test_onnx_of_another_network(tmp_path):
    import onnx
    from onnx import helper

    graph = helper.make_graph([helper.make_node("Conv", ["x", "w"], ["y"])], "g", [], [])
    onnx.save(helper.make_model(graph), tmp_path / "u2net.onnx")
    with pytest.raises(WeightsError, match=r"u2net\.onnx.*1 convolutions"):
        weights.read(tmp_path / "u2net.onnx")
    (tmp_path / "cut.onnx").write_bytes(b"\x08\x07\x12\xff\xff")
    with pytest.raises(WeightsError, match=r"cut\.onnx.*not a whole ONNX"):
        weights.read(tmp_path / "cut.onnx")


class Mischief:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_with_code_is_refused_and_nothing_runs(tmp_path, legacy):
    path, trap = tmp_path / "evil.pth", tmp_path / "trap"
    if legacy:
        path.write_bytes(pickle.dumps({"state_dict": Mischief(trap)}))
    else:
        torch.save({"weight": torch.zeros(1), "extra": Mischief(trap)}, path)
    with pytest.raises(WeightsError, match=r"evil\.pth"):
        weights.load(path)
    assert not trap.exists()


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("keep", [0, 5, 1000, 40_000])
def test_truncated_files(tmp_path, authors_state, suffix, keep):
    whole = tmp_path / f"whole{suffix}"
    small = {k: v for k, v in authors_state.items() if k.startswith("stage1.")}
    save_file(small, whole) if suffix == ".safetensors" else torch.save(small, whole)
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(whole.read_bytes()[:keep])
    with pytest.raises(WeightsError, match=r"cut\.") as error:
        weights.load(cut)
    assert "\n" not in str(error.value)


def test_wrong_architecture_missing_key_and_shape(tmp_path, folded):
    metadata = Info(architecture="u2net").to_metadata()
    save_file({"a": torch.zeros(1)}, tmp_path / "u.safetensors", metadata)
    with pytest.raises(WeightsError, match=r"u\.safetensors.*'u2net'"):
        weights.load(tmp_path / "u.safetensors")
    lacking = {k: v for k, v in folded.items() if k != "stage5.rebnconv2.bias"}
    save_file(lacking, tmp_path / "l.safetensors", Info().to_metadata())
    with pytest.raises(WeightsError, match=r"l\.safetensors.*lacks stage5\.rebnconv2\.bias"):
        weights.load(tmp_path / "l.safetensors")
    with pytest.raises(WeightsError, match=r"misshapen side1\.bias is \(2,\)"):
        weights.build({**folded, "side1.bias": torch.zeros(2)}, tmp_path / "m")
    with pytest.raises(WeightsError, match=r"unknown extra"):
        weights.build({**folded, "extra": torch.zeros(2)}, tmp_path / "m")
    with pytest.raises(WeightsError, match=r"side1\.bias has values that are NaN"):
        weights.build({**folded, "side1.bias": torch.full((1,), float("nan"))}, tmp_path / "m")
    torch.save({"conv1.weight": torch.zeros(3)}, tmp_path / "resnet.pth")
    with pytest.raises(WeightsError, match=r"resnet\.pth: not an IS-Net.*conv_in"):
        weights.load(tmp_path / "resnet.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(WeightsError, match="holds a list"):
        weights.load(tmp_path / "list.pth")


def test_missing_file_and_unknown_suffix(tmp_path):
    with pytest.raises(WeightsError, match="no such weights file"):
        weights.load(tmp_path / "none.safetensors")
    (tmp_path / "w.bin").write_bytes(b"x")
    with pytest.raises(WeightsError, match=r"this is \.bin"):
        weights.load(tmp_path / "w.bin")


@pytest.mark.parametrize("text", ["[]", "not json", '{"mean": 3}', '{"std": [0, 1, 1]}', '{"size": "big"}'])
def test_bad_metadata(tmp_path, text):
    save_file({"a": torch.zeros(1)}, tmp_path / "m.safetensors", {"nuggy": text})
    with pytest.raises(WeightsError, match=r"m\.safetensors: .*metadata"):
        weights.load(tmp_path / "m.safetensors")


def test_save_and_load_keep_what_travels(tmp_path, folded):
    info = Info(mean=(0.1, 0.2, 0.3), lineage="made up", licence="CC0")
    path = tmp_path / "a.safetensors"
    weights.save(folded, info, path)
    network = weights.load(path)
    assert network.info == info and network.path == path
    stored = load_file(path)
    assert (
        stored["stage1.rebnconv1.weight"].dtype == torch.float16
        and stored["stage5.rebnconv1.weight"].dtype == torch.int8
    )
    weights.save(folded, info, tmp_path / "half.safetensors", eight_bit=False)
    state, _ = weights.read(tmp_path / "half.safetensors")
    assert torch.equal(state["stage5.rebnconv1.weight"], folded["stage5.rebnconv1.weight"].half().float())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.safetensors", "half.safetensors"]


def test_default_weights_fit_the_repository():
    path = weights.default_path()
    assert path.stat().st_size <= 46_000_000
    assert checksum.sha256(path) == weights.DEFAULT_SHA256
    info = weights.read(path)[1]
    assert "DIS5K" in info.licence and "Apache-2.0" in info.licence and "xuebinqin/DIS" in info.lineage


def test_verdict_is_kept_and_a_changed_file_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(checksum, "_seen", set())
    file = tmp_path / "w"
    file.write_bytes(b"weights")
    right = checksum.sha256(file)
    checksum.check(file, right)
    kept = json.loads((tmp_path / "cache" / "nuggy" / "verified.json").read_text())
    assert len(kept) == 1 and right in kept[0]
    monkeypatch.setattr(checksum, "_seen", set())
    monkeypatch.setattr(checksum, "sha256", lambda path: pytest.fail("hashed again"))
    checksum.check(file, right)
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file.write_bytes(b"other")
    with pytest.raises(WeightsError, match="sha256"):
        checksum.check(file, right)


def test_verdict_without_a_place_to_keep_it(tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("a file, not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tmp_path / "w"
    file.write_bytes(b"weights")
    checksum.check(file, checksum.sha256(file))


def test_damaged_default_is_named(tmp_path, monkeypatch):
    copy = tmp_path / weights.DEFAULT_NAME
    shutil.copy(weights.default_path(), copy)
    with open(copy, "r+b") as f:
        f.seek(20_000_000)
        f.write(b"\0\1\2\3")
    monkeypatch.setattr(weights, "default_path", lambda: copy)
    with pytest.raises(WeightsError, match="damaged or another one"):
        weights.load()
