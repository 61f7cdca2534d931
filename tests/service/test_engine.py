"""Any network behind the doors that listen: an ONNX file, its options, and the same file by the command line."""

import argparse
import io
import sys

import numpy as np
import pytest
from PIL import Image

from nuggy_nodes.cli import main, network
from nuggy_nodes.cli.demo import add_parser as add_demo
from nuggy_nodes.cli.demo import options as to_page
from nuggy_nodes.cli.serve import add_parser as add_serve
from nuggy_nodes.demo import arguments as page
from nuggy_nodes.service.engine import Studio
from nuggy_nodes.service.limits import Limits, limits_of
from nuggy_nodes.service.wanted import wanted
from tests.core.network import tiny_onnx

SAID = ["--network-mean", "0.25", "--network-std", "0.5,0.25,1", "--network-answer", "probability"]


@pytest.fixture
def tiny(tmp_path):
    return tiny_onnx.write(tmp_path / "tiny.onnx")


def photograph() -> bytes:
    out, ramp = io.BytesIO(), np.linspace(0, 255, 90 * 60 * 3).reshape(60, 90, 3)
    Image.fromarray(ramp.astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def parsed(add, command: str, *given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add(parser.add_subparsers())
    return parser.parse_args([command, *given])


def test_the_service_answers_with_an_onnx_network_as_the_command_line_does(tiny, tmp_path):
    args = parsed(add_serve, "serve", "--network", str(tiny), *SAID)
    studio = Studio(Limits(), "cpu", "auto", args.network, network.options(args))
    made, told = studio.cut(photograph(), "ramp.png", wanted([("recipe", "fast")], 50))
    (tmp_path / "ramp.png").write_bytes(photograph())
    result = tmp_path / "result.png"
    line = ["cutout", tmp_path / "ramp.png", "-o", result, "--device", "cpu", "--recipe", "fast", "--network", tiny]
    assert main([*map(str, line), *SAID]) == 0
    assert made == result.read_bytes() and not told.get("empty")
    assert (
        made
        != Studio(Limits(), "cpu", "auto", str(tiny)).cut(photograph(), "a.png", wanted([("recipe", "fast")], 50))[0]
    )


def test_what_is_said_of_the_network_reaches_the_page(tiny, monkeypatch):
    args = parsed(add_demo, "demo", "--no-browser", "--network", str(tiny), *SAID)
    line = to_page(args, limits_of(args))
    monkeypatch.setattr(sys, "argv", ["page.py", *line[line.index("--") + 1 :]])
    page.arguments.cache_clear()
    try:
        assert network.options(page.arguments()) == network.options(args)
        assert page.arguments().network == str(tiny)
        assert page.another_network()[0] == f"--network={tiny}"
        page.arguments().host = "0.0.0.0"
        assert page.another_network()[0] == "--network=tiny.onnx"
    finally:
        page.arguments.cache_clear()


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_network_that_is_not_there_is_said_at_the_door(command, capsys):
    assert main([command, "--network", "no-such-network"]) == 1
    assert "nuggy weights list" in capsys.readouterr().err
