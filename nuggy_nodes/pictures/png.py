"""PNG files (W3C PNG, third edition): a walk over their chunks.

Every PNG is walked before a decoder sees it: chunks that do not fit into the file or whose checksum is wrong are
refused, so that no decoder allocates for a length that is a lie, or writes to standard error of what it finds.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from ..core.errors import ImageError
from .limits import MOST_MEGAPIXELS, check_size

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_TEXT = 8 << 20  # bytes that a packed profile may become
CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")


@dataclass
class Chunks:
    """The header's facts, and where each chunk's body lies (name, start, end), whole and with a right checksum."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: int
    bodies: list[tuple[bytes, int, int]] = field(default_factory=list)

    def first(self, data: bytes, name: bytes) -> bytes | None:
        """The body of the first chunk of a name."""
        return next((data[a:b] for n, a, b in self.bodies if n == name), None)


def walk(data: bytes, path: Path, megapixels: float = MOST_MEGAPIXELS) -> Chunks:
    """The chunks of a PNG. Raises ImageError, for a header that announces too much too."""
    at, found, stored = 8, None, 0
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        start, end = at + 8, at + 8 + length
        if end + 4 > len(data):
            if found and name not in CRITICAL and stored:
                break  # rubbish after the picture
            raise ImageError(f"{path}: the file is damaged or incomplete (a part of it is said to be {length} bytes)")
        wrong = zlib.crc32(data[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]
        if wrong and name in CRITICAL:
            raise ImageError(f"{path}: the file is damaged (a checksum of its {name.decode('ascii')} is wrong)")
        if found is None:
            if name != b"IHDR" or length != 13:
                raise ImageError(f"{path}: the file is damaged (it does not begin with a header)")
            width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, start)
            if depth not in DEPTHS.get(colour, ()):
                raise ImageError(f"{path}: the file is damaged (colour type {colour} with {depth} bits)")
            found = Chunks(width, height, depth, colour, interlaced)
            check_size(width, height, path, "PNG", len(data), CHANNELS[colour] * depth / 8, megapixels)
        if not wrong:
            found.bodies.append((name, start, end))
        if name in (b"IDAT", b"fdAT"):
            stored += length
        at = end + 4
        if name == b"IEND":
            break
    if found is None or not stored:
        raise ImageError(f"{path}: the file is damaged or incomplete")
    return found


def profile(data: bytes, chunks: Chunks) -> bytes | None:
    """The colour profile, if it can be unpacked within MOST_TEXT."""
    body = chunks.first(data, b"iCCP")
    at = body.find(b"\0") if body else -1
    if not body or at < 0:
        return None
    try:
        packed = zlib.decompressobj()
        out = packed.decompress(body[at + 2 :], MOST_TEXT)
        return out if packed.eof else None
    except zlib.error:
        return None


def resolution(data: bytes, chunks: Chunks) -> tuple[float, float] | None:
    """Dots an inch, where the file tells."""
    body = chunks.first(data, b"pHYs")
    if body is None or len(body) != 9 or body[8] != 1:
        return None
    across, down = struct.unpack(">II", body[:8])
    return across * 0.0254, down * 0.0254
