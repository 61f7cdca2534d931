"""Weights files that somebody made to be odd: one sentence each, from `load` and from `nuggy weights verify`."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save

from nuggy_nodes.cli import main
from nuggy_nodes.core import WeightsError
from nuggy_nodes.core.network import weights

ONE = torch.ones(3)
HUGE = torch.ones(1, dtype=torch.float16).expand(10**6, 10**6)  # two bytes in the file


def metadata(**changes) -> dict[str, str]:
    return {"nuggy": json.dumps({"architecture": "isnet", "mean": [0.5] * 3, "std": [1.0] * 3, "size": 1024} | changes)}


PICKLED = {
    "number as name": {1: ONE},
    "tuple as name": {("a", 2): ONE},
    "None as name": {"model_state_dict": {None: ONE}},
    "sparse": {"conv_in.weight": torch.eye(4).to_sparse()},
    "rows": lambda: {"conv_in.weight": torch.eye(4).to_sparse_csr()},
    "quantised": lambda: {"conv_in.weight": torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint8)},
    "complex": {"conv_in.weight": torch.ones(4, dtype=torch.complex64)},
    "larger than memory": {"conv_in.weight": HUGE},
    "text": {"conv_in.weight": "none"},
    "list": [ONE],
    "nothing": {},
}
TOLD = {
    "nested": {"nuggy": "[" * 100_000 + "]" * 100_000},
    "nested object": {"nuggy": '{"a":' * 100_000 + "1" + "}" * 100_000},
    "NaN mean": metadata(mean=[float("nan")] * 3),
    "infinite std": metadata(std=[float("inf")] * 3),
    "std 0": metadata(std=[0, 1, 1]),
    "size NaN": metadata(size=float("nan")),
    "size without end": metadata(size=10**30),
    "size text": metadata(size="large"),
    "mean deep": metadata(mean=[[0.5]] * 3),
    "lineage list": metadata(lineage=[1, [2]]),
    "a number": {"nuggy": "1e999"},
    "no JSON": {"nuggy": "\ud7ff{"},
}


def told(path, capsys) -> str:
    """What both say, which is one line."""
    with pytest.raises(WeightsError) as e:
        weights.load(path)
    assert main(["weights", "verify", str(path)]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err == f"nuggy: {e.value}\n" and len(said.err) < 500
    return str(e.value)


@pytest.mark.parametrize("name", PICKLED)
@pytest.mark.filterwarnings("ignore")
def test_odd_pickles(tmp_path, capsys, name):
    made = PICKLED[name]
    torch.save(made() if callable(made) else made, tmp_path / "w.pth")  # torch warns of the kinds that are made late
    assert "w.pth" in told(tmp_path / "w.pth", capsys)


@pytest.mark.parametrize("name", TOLD)
def test_odd_metadata(tmp_path, capsys, name):
    (tmp_path / "w.safetensors").write_bytes(save({"conv_in.weight": ONE}, TOLD[name]))
    assert "metadata" in told(tmp_path / "w.safetensors", capsys)


def test_seeded_damage_is_one_line(tmp_path, capsys):
    rng = np.random.default_rng(5)
    torch.save({"conv_in.weight": torch.ones(8, 8)}, tmp_path / "good.pth", _use_new_zipfile_serialization=False)
    good = {".pth": (tmp_path / "good.pth").read_bytes(), ".safetensors": save({"conv_in.weight": ONE}, metadata())}
    for suffix, data in good.items():
        for i in range(60):
            broken = np.frombuffer(data, np.uint8).copy()
            broken[rng.integers(0, len(broken), 4)] = rng.integers(0, 256, 4)
            path = tmp_path / f"{i}{suffix}"
            path.write_bytes(broken.tobytes())
            assert path.name in told(path, capsys)
