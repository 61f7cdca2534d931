"""What is believed before anything is decoded: regular files up to a size, headers up to a number of pixels.

A header's size is held against the file's: no format here stores a picture in fewer bytes than it can. So a file of
some hundred bytes that announces gigapixels is refused without the memory that it asks for.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from ..core.errors import ImageError
from ..process import free_memory
from .formats import NAMES, sniff

MOST_MEGAPIXELS = 160.0  # the largest cameras have 151
MOST_BYTES = 4 << 30
MOST_STREAMED = 1 << 30
BYTES_PER_PIXEL = 16  # that decoding and cutting out take at the least
PLAUSIBLE = {  # samples that a byte of the file can stand for, at the most
    "PNG": 1100.0, "TIFF": 5000.0, "JPEG": 3000.0, "WEBP": 200000.0, "BMP": 300.0, "GIF": 9000.0, "TGA": 200.0,
    "PSD": 200.0, "NETPBM": 8.5,
}  # fmt: skip
SMALL = 4_000_000  # pixels up to which a lie costs nothing


def read_bytes(path: Path) -> bytes:
    """A regular file whole. Raises ImageError for other things, OSError as `open` does."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    found = os.stat(path)
    _check_kind(found, path)
    with open(os.open(path, flags), "rb") as f:  # not blocked by a pipe that took the file's place meanwhile
        found = os.fstat(f.fileno())
        _check_kind(found, path)
        data = f.read(found.st_size + 1)
    if not data:
        raise ImageError(f"{path}: the file is empty")
    return data


def read_stream(stream: BinaryIO) -> bytes:
    """A picture's bytes from standard input, to its end. Raises ImageError where it begins as no picture does."""
    path = Path("-")
    head = stream.read(1 << 12)
    if not head:
        raise ImageError(f"{path}: is empty")
    if not sniff(head, path):
        raise ImageError(f"{path}: is of no format that is read from there: {NAMES}")
    data = head + stream.read(MOST_STREAMED)
    if len(data) > MOST_STREAMED:
        raise ImageError(f"{path}: more than {MOST_STREAMED >> 20} MiB are not read from there; give a file")
    return data


def _check_kind(found: os.stat_result, path: Path) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder", str(path))
    if not stat.S_ISREG(found.st_mode):
        raise ImageError(f"{path}: is no regular file")
    if found.st_size > MOST_BYTES:
        raise ImageError(f"{path}: {found.st_size / 2**30:.1f} GiB is more than a picture's file has")
    blocks = getattr(found, "st_blocks", None)
    if blocks is not None and found.st_size > 64 << 20 and blocks * 512 < found.st_size // 16:
        raise ImageError(f"{path}: {found.st_size / 2**20:.0f} MiB of which nearly nothing is stored; no picture")


def check_size(width: int, height: int, path: Path, form: str, stored: int, samples: float = 3.0,
               megapixels: float = MOST_MEGAPIXELS) -> None:  # fmt: skip
    """Refuse a header that announces too much. stored: the file's bytes; samples: of a pixel (1/8 for bits)."""
    if width < 1 or height < 1:
        raise ImageError(f"{path}: {width}x{height} pixels is no picture")
    pixels = width * height
    if pixels > megapixels * 1e6:
        raise ImageError(
            f"{path}: {width}x{height} is over the limit of {megapixels:g} megapixels; raise it with --max-megapixels"
        )
    if pixels > SMALL and pixels * samples > stored * PLAUSIBLE.get(form, 1e9):
        raise ImageError(f"{path}: the file is damaged: {width}x{height} pixels are not stored in {stored} bytes")
    free = free_memory()
    if free is not None and pixels > SMALL and pixels * BYTES_PER_PIXEL > free:
        raise ImageError(f"{path}: {width}x{height} needs more memory than the {free / 2**30:.1f} GiB that are free")
