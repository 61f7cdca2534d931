"""A file's checksum: the verdict is kept, a changed file is noticed."""

from __future__ import annotations

import hashlib
import json
import os

import pytest

from nuggy_nodes.core import WeightsError
from nuggy_nodes.core.network import checksum, description, known
from tests.core.network.tiny_onnx import write


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


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (2 << 20) + 3])
def test_sha256_of_files_longer_than_a_block(tmp_path, size):
    data = bytes(range(256)) * (size // 256 + 1)
    (tmp_path / "w").write_bytes(data[:size])
    assert checksum.sha256(tmp_path / "w") == hashlib.sha256(data[:size]).hexdigest()


def test_fresh_reads_the_file_again(tmp_path, monkeypatch):
    """A file changed under the same size and time is noticed only by a fresh look."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(checksum, "_seen", set())
    file = tmp_path / "w"
    file.write_bytes(b"weights")
    right, time = checksum.sha256(file), file.stat().st_mtime_ns
    checksum.check(file, right)
    file.write_bytes(b"Weights")
    os.utime(file, ns=(time, time))
    checksum.check(file, right)
    with pytest.raises(WeightsError, match="damaged or another one"):
        checksum.check(file, right, fresh=True)


def test_a_file_is_known_by_its_checksum(tmp_path, monkeypatch):
    path = write(tmp_path / "renamed.onnx")
    md5, sha256 = checksum.checksums(path)
    for told in (md5, sha256):
        row = known.Known("u", "U", known.HALF, 64, False, told, "MIT", "x", "y")
        with monkeypatch.context() as patch:
            patch.setitem(description.BY_CHECKSUM, told, row)
            assert description.identify(path) is row
    assert all(len(k.checksum) in (32, 64) for k in known.KNOWN) and len(known.BY_CHECKSUM) == len(known.KNOWN)
