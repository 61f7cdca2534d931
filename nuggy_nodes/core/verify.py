"""Is a file the one that it should be? sha256, once; the verdict is kept with the file's size and time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import sys
from pathlib import Path

from .errors import WeightsError

log = logging.getLogger(__name__)
_seen: set[str] = set()


def sha256(path: Path) -> str:
    """The file's sha256 in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def cache_folder() -> Path:
    """The user's cache folder for Nuggy; not created here."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "nuggy"


def check(path: Path, expected: str, *, fresh: bool = False) -> None:
    """Raise WeightsError unless the file's sha256 is `expected`. `fresh` ignores the kept verdict.

    The verdict is kept under the file's path, size and modification time in the user's cache folder; where that
    cannot be written, for this process only.
    """
    stat = path.stat()
    key = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}|{expected}"
    if not fresh and key in _seen:
        return
    store = cache_folder() / "verified.json"
    known: list[str] = []
    try:
        loaded = json.loads(store.read_text("utf-8"))
        known = [k for k in loaded if isinstance(k, str)] if isinstance(loaded, list) else []
    except (OSError, ValueError):
        pass
    if fresh or key not in known:
        actual = sha256(path)
        if actual != expected:
            raise WeightsError(
                f"{path}: sha256 is {actual}, expected {expected}; the file is damaged or another one: restore it "
                "(git checkout, or reinstall), or name it with --weights if it is meant"
            )
        _keep(store, [*[k for k in known if not k.startswith(f"{path.resolve()}|")][-20:], key])
    _seen.add(key)


def _keep(store: Path, keys: list[str]) -> None:
    temporary = store.with_name(f"{store.name}.{os.getpid()}")
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(keys), "utf-8")
        os.replace(temporary, store)
    except OSError as e:
        log.debug("verdict not kept: %s", e)
        with contextlib.suppress(OSError):
            temporary.unlink()
