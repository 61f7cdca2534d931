"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path

from ..core.errors import ImageError
from .read import reason

PART = re.compile(r"\.nuggy-(\d+)-[0-9a-f]+\.part")
OLD = 3600.0  # seconds after which a part that belongs to no process here is nobody's


def write(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Write a file whole or not at all. Raises ImageError; an existing file stays unless `overwrite`."""
    temporary = path.parent / f".nuggy-{os.getpid()}-{abs(hash(path.name)) & 0xFFFFFFFF:x}.part"  # any legal name fits
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
    """Remove what killed runs left behind in a folder: parts of files whose process is no more."""
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(folder)):
            found = PART.fullmatch(entry.name)
            if found and (not _alive(int(found[1])) or time.time() - entry.stat().st_mtime > OLD):
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)


def _alive(process: int) -> bool:
    if process == os.getpid():
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
