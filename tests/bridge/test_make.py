"""Making a Python: what is said of failures, that Cancel leaves nothing, that nobody else's folder is touched."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from nuggy_nodes.bridge import bases, make
from nuggy_nodes.bridge.find import Surroundings
from nuggy_nodes.bridge.make import MakeError, Making, Trying

BASE = os.path.join(sys.base_prefix, "bin", "python3")


@pytest.fixture
def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    """A home without anything, and an index without any package."""
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setattr(bases, "uv", lambda _around: "")
    monkeypatch.setattr(bases, "_places", lambda _around: iter(()))
    return Surroundings({"XDG_DATA_HOME": str(tmp_path / "data")}, tmp_path, "linux")


def followed(making: Making) -> tuple[list[str], str]:
    steps, lines = [], []
    while (event := making.events.get(timeout=120)) is not None:
        (steps if event[0] == "step" else lines).append(event[1])
    return steps, "\n".join(lines)


def kind(making: Making | Trying) -> str:
    with pytest.raises(MakeError) as caught:
        making.result()
    return caught.value.kind


@pytest.mark.slow
def test_a_package_that_is_nowhere(around: Surroundings) -> None:
    making = Making("0.0.1", around, BASE)
    steps, log = followed(making)
    assert steps == ["look", "environment", "torch"] and kind(making) == "step"
    assert "-m venv" in log and "ERROR" in log and "torch" in log
    assert not around.own_python().exists(), "what is half made is in the way"


def test_no_python(around: Surroundings) -> None:
    making = Making("0.0.1", around, "/bin/false")
    steps, log = followed(making)
    assert steps == ["look"] and "/bin/false" in log and kind(making) == "python"


def test_no_room(around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "SPACE", 1 << 60)
    making = Making("0.0.1", around, BASE)
    followed(making)
    assert kind(making) == "space"


def test_cancel_ends_what_was_started(around: Surroundings, tmp_path: Path) -> None:
    slow = tmp_path / "python3"
    slow.write_text(
        f'#!/bin/sh\ncase "$*" in *ensurepip*) echo True;; *) echo $$ >{tmp_path}/pid; exec sleep 600;; esac\n'
    )
    slow.chmod(0o755)
    making = Making("0.0.1", around, str(slow))
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert making.events.qsize() < 9
        time.sleep(0.01)
    assert (around.own_python() / make.MARK).exists()
    making.cancel()
    making.wait()
    assert kind(making) == "cancelled" and not around.own_python().exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.slow
def test_folder_of_somebody_else_stays(around: Surroundings) -> None:
    own = around.own_python()
    own.mkdir(parents=True)
    (own / "precious").touch()
    making = Making("0.0.1", around, BASE)
    followed(making)
    assert kind(making) == "folder" and (own / "precious").exists()
    (own / make.MARK).touch()  # one of ours that broke: Repair makes it anew
    making = Making("0.0.1", around, BASE)
    assert "environment" in followed(making)[0]


def test_trying(tmp_path: Path) -> None:
    trying = Trying("/bin/false")
    assert kind(trying) == "step" and trying.events.get() == ("step", "check")
    store = tmp_path / "WindowsApps" / "python.exe"
    assert kind(Trying(str(store))) == "store"
