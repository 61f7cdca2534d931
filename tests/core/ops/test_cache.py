"""What is found out once for all: kept whole or not at all, in the folder that the system has for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from nuggy_nodes.core.ops import cache
from nuggy_nodes.core.ops.cache import cache_folder, keep, recall


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "nuggy"


@pytest.mark.parametrize("value", [[1, "two", None], {"a": {"b": True}}, "text", 3])
def test_what_is_kept_is_recalled(folder, value):
    assert recall("a.json") is None and not folder.exists()
    keep("a.json", "before")
    keep("a.json", value)
    assert recall("a.json") == value and [p.name for p in folder.iterdir()] == ["a.json"]


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_cannot_be_read_is_not_there(folder, data):
    folder.mkdir()
    (folder / "a.json").write_bytes(data)
    assert recall("a.json") is None


def test_a_failure_leaves_what_was_there_and_nothing_beside_it(folder, monkeypatch):
    keep("a.json", 1)

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    keep("a.json", 2)
    assert recall("a.json") == 1 and [p.name for p in folder.iterdir()] == ["a.json"]


def test_every_system_has_its_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    assert cache_folder() == tmp_path / "nuggy"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == tmp_path / "home" / ".cache" / "nuggy"
    monkeypatch.setattr(cache.sys, "platform", "darwin")
    assert cache_folder() == tmp_path / "home" / "Library" / "Caches" / "nuggy"
    monkeypatch.setattr(cache.sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache_folder() == tmp_path / "local" / "nuggy"
    monkeypatch.delenv("LOCALAPPDATA")
    assert cache_folder() == tmp_path / "home" / "AppData" / "Local" / "nuggy"


def test_a_user_without_a_home_keeps_nothing(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    keep("a.json", 1)
    assert recall("a.json") is None
