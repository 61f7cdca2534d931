import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from nuggy_nodes.core import WeightsError
from nuggy_nodes.core.network import checksum, weights
from nuggy_nodes.core.network.metadata import Info


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
    with pytest.raises(WeightsError, match=r"not from \.bin"):
        weights.load(tmp_path / "w.bin")


def test_save_and_load_keep_what_travels(tmp_path, folded):
    info = Info(mean=(0.1, 0.2, 0.3), lineage="made up", licence="CC0")
    path = tmp_path / "a.safetensors"
    weights.save(folded, info, path)
    network = weights.load(path)
    assert network.info == info and network.path == path
    assert network.form.measured and network.form.size == info.size and network.form.logits
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


def test_damaged_default_is_named(tmp_path, monkeypatch):
    copy = tmp_path / weights.DEFAULT_NAME
    shutil.copy(weights.default_path(), copy)
    with open(copy, "r+b") as f:
        f.seek(20_000_000)
        f.write(b"\0\1\2\3")
    monkeypatch.setattr(weights, "default_path", lambda: copy)
    with pytest.raises(WeightsError, match="damaged or another one"):
        weights.load()
