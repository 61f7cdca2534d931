"""Is a file the one that it should be? sha256, once; the verdict is kept with the file's size and time."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import WeightsError
from ..ops.cache import keep, recall

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

FILE, OF_NETWORKS = "verified.json", "network-files.json"
_seen: set[str] = set()


def sha256(path: Path) -> str:
    """A file's checksum.

    Args:
        path: the file.

    Returns:
        Its sha256 in hexadecimal.
    """
    return _digests(path, hashlib.sha256())[0]


def _digests(path: Path, *kinds: Hash) -> list[str]:
    """Several digests of a file in hexadecimal, read once."""
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            for digest in kinds:
                digest.update(block)
    return [digest.hexdigest() for digest in kinds]


def check(path: Path, expected: str, *, fresh: bool = False) -> None:
    """Refuse a file that is not the expected one.

    The verdict is kept under the file's path, size and modification time in the user's cache folder; where that
    cannot be written, for this process only.

    Args:
        path: the file.
        expected: its sha256 in hexadecimal.
        fresh: ignore the kept verdict.

    Raises:
        WeightsError: its sha256 is another.
    """
    stat = path.stat()
    key = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}|{expected}"
    if not fresh and key in _seen:
        return
    kept = recall(FILE)
    known = [k for k in kept if isinstance(k, str)] if isinstance(kept, list) else []
    if fresh or key not in known:
        actual = sha256(path)
        if actual != expected:
            raise WeightsError(
                f"{path}: sha256 is {actual}, expected {expected}; the file is damaged or another one: restore it "
                "(git checkout, or reinstall), or name it with --weights if it is meant"
            )
        keep(FILE, [*[k for k in known if not k.startswith(f"{path.resolve()}|")][-20:], key])
    _seen.add(key)


def checksums(path: Path) -> tuple[str, str]:
    """A file's checksums, kept with its size and time in the user's cache folder.

    Args:
        path: the file.

    Returns:
        md5 and sha256, in hexadecimal.
    """
    stat = path.stat()
    key = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
    kept = recall(OF_NETWORKS)
    found = kept.get(key) if isinstance(kept, dict) else None
    if isinstance(found, list) and len(found) == 2 and all(isinstance(f, str) for f in found):
        return found[0], found[1]
    md5, sha = _digests(path, hashlib.md5(usedforsecurity=False), hashlib.sha256())
    told = md5, sha
    keep(OF_NETWORKS, dict([*(kept if isinstance(kept, dict) else {}).items(), (key, told)][-200:]))
    return told
