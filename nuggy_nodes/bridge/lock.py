"""A lock on a file that goes with its process, however that ends. Standard library only."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO


def take(path: Path) -> IO[bytes] | None:
    """The lock, held until the file is closed or the process ends, or None if another process has it."""
    handle = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600), "r+b", 0)
    try:
        if sys.platform == "win32":
            import msvcrt

            handle.seek(1 << 20)  # a byte past the content, so that others can read that
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
            handle.seek(0)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        return None
    return handle
