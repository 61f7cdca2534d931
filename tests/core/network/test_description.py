"""What is found out of an ONNX file before it runs."""

from __future__ import annotations

import json

import pytest

from nuggy_nodes.core import WeightsError
from nuggy_nodes.core.network import known
from nuggy_nodes.core.network.description import Options, describe
from tests.core.network.tiny_onnx import write

MEAN, STD = known.IMAGENET


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


def test_outputs_by_name_first_and_largest(tmp_path):
    path = write(tmp_path / "a.onnx", outputs=3)
    chosen = {said: describe(path, Options(output=said)).output.name for said in ("", "largest", "first", "coarse1")}
    assert chosen == {"": "map", "largest": "map", "first": "coarse2", "coarse1": "coarse1"}
    with pytest.raises(WeightsError, match="no output 'nothing'; it has coarse2, coarse1, map"):
        describe(path, Options(output="nothing"))


def test_the_square_is_the_files_then_the_callers_then_the_usual(tmp_path):
    open_, fixed = write(tmp_path / "a.onnx", dims=("b", 3, "h", "w")), write(tmp_path / "b.onnx", dims=(2, 3, 96, 96))
    told = [describe(open_), describe(open_, Options(size=512)), describe(fixed), describe(fixed, Options(size=96))]
    assert [(d.size, d.fixed, d.most) for d in told] == [
        (1024, False, 0),
        (512, False, 0),
        (96, True, 2),
        (96, True, 2),
    ]
    with pytest.raises(WeightsError, match="squares of 96 pixels and no others; --network-size asks for 512"):
        describe(fixed, Options(size=512))


def test_logits_by_what_is_said_by_the_graph_and_by_the_table(tmp_path):
    plain, sigmoid = write(tmp_path / "a.onnx", answer="logits"), write(tmp_path / "b.onnx")
    assert describe(plain).logits and not describe(sigmoid).logits
    assert not describe(plain, Options(answer="probability")).logits
    assert describe(sigmoid, Options(answer="logits")).logits
    assert describe(write(tmp_path / "birefnet-general.onnx", answer="logits", dims=("b", 3, "h", "w"))).logits
