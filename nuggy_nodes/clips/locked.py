"""Whether a clip is locked by its publisher. FFmpeg reads such a one as if it were not, and decodes noise."""

from __future__ import annotations

import os
import re
from pathlib import Path

MOST = 64 << 20  # bytes of an index that are looked at
# a sample description (ISO/IEC 14496-12, 8.5.2: version, count, size) that begins with an entry of a protected track
# (8.12), or of Apple's older scheme
ENTRY = re.compile(rb"stsd.{12}(encv|enca|drmi|drms)", re.DOTALL)


def locked(path: Path) -> bool:
    """Whether an MP4 or MOV announces protected tracks; False for whatever is no such file."""
    with open(path, "rb") as file:
        end = os.fstat(file.fileno()).st_size
        while file.tell() + 8 <= end:
            begin = file.tell()
            size, kind = int.from_bytes(file.read(4), "big"), file.read(4)
            if size == 1:
                size = int.from_bytes(file.read(8), "big")
            if kind == b"moov":
                return ENTRY.search(file.read(min(size or end, MOST))) is not None
            if size < 8:  # up to the end of the file, or no box
                return False
            file.seek(begin + size)
    return False
