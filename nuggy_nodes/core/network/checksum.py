"""Is a file the one that it should be? sha256, once; the verdict is kept with the file's size and time."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..errors import WeightsError
from .cache import keep, recall

FILE = "verified.json"
_seen: set[str] = set()


def sha256(path: Path) -> str:
    """The file's sha256 in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def check(path: Path, expected: str, *, fresh: bool = False) -> None:
    """Raise WeightsError unless the file's sha256 is `expected`. `fresh` ignores the kept verdict.

    The verdict is kept under the file's path, size and modification time in the user's cache folder; where that
    cannot be written, for this process only.
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
