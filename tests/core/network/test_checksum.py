"""A file's checksum: the verdict is kept, a changed file is noticed."""

from __future__ import annotations

import json

import pytest

from nuggy_nodes.core import WeightsError
from nuggy_nodes.core.network import checksum


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
