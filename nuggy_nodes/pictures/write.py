"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import sys
import time
from pathlib import Path

from ..core.errors import ImageError
from .read import reason

PART = re.compile(r"\.nuggy-(\d+)-[0-9a-f]+\.part")
STARTED = time.time()
OLD = 3600.0  # seconds after which a part that belongs to no process here is nobody's


def write(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Write a file whole or not at all. Raises ImageError; an existing file stays unless `overwrite`."""
    temporary = path.parent / f".nuggy-{os.getpid()}-{secrets.token_hex(4)}.part"  # short: any legal name fits
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "xb") as f:
            f.write(data)
            f.flush()
        if not overwrite and path.exists():
            raise ImageError(f"{path}: exists; give --overwrite to replace it")
        os.replace(temporary, path)
    except OSError as e:
        raise ImageError(f"{path}: cannot be written: {reason(e)}") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def clear_parts(folder: Path) -> None:
    """Remove what killed runs left behind in a folder: parts of files whose process is no more.

    A part with this process's own number that is older than the process is of one before it: in a container the number
    is always the same.
    """
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(folder)):
            found = PART.fullmatch(entry.name)
            if not found:
                continue
            written = entry.stat().st_mtime
            if not _alive(int(found[1]), written) or time.time() - written > OLD:
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)


def _alive(process: int, written: float) -> bool:
    if process == os.getpid():
        return written > STARTED
    if sys.platform == "win32":  # where signal 0 is Ctrl-C
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
