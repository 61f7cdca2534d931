"""What is found out once for all: small JSON files in the user's cache folder. Losing one costs time, nothing else."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """The user's cache folder for Nuggy; not created here.

    Raises:
        RuntimeError: the user has no home.
    """
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "nuggy"


def recall(name: str) -> Any:
    """What was kept under a file name.

    Args:
        name: of a file in the cache folder.

    Returns:
        The value; None where there is nothing that can be read.
    """
    try:
        return json.loads((cache_folder() / name).read_text("utf-8"))
    except (OSError, ValueError, RuntimeError, RecursionError):
        return None


def keep(name: str, value: Any) -> None:
    """Keep a value, whole or not at all. Where that is not possible, nothing happens.

    Args:
        name: of a file in the cache folder.
        value: what JSON can hold.
    """
    temporary = None
    try:
        store = cache_folder() / name
        store.parent.mkdir(parents=True, exist_ok=True)
        temporary = store.with_name(f"{name}.{os.getpid()}")
        temporary.write_text(json.dumps(value), "utf-8")
        os.replace(temporary, store)
    except (OSError, RuntimeError) as e:
        log.debug("%s is not kept: %s", name, e)
        if temporary:
            with contextlib.suppress(OSError):
                temporary.unlink()
