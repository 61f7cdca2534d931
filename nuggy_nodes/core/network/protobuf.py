"""Protocol buffers, as far as files are read here: a message is a row of fields, each a number and a value.

The encoding is that of protobuf.dev/programming-guides/encoding. Nothing is copied but what is asked for as text.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..errors import WeightsError

Value = int | memoryview
MOST_FIELDS = 4_000_000  # of a whole file: real graphs have some 200000


class Messages:
    """Walks a file's messages. Raises WeightsError where one is longer than what holds it, or there are too many."""

    def __init__(self, path: Path):
        self.path, self.fields = path, 0

    def broken(self) -> WeightsError:
        """The error of a file that is cut off or none."""
        return WeightsError(f"{self.path}: not a whole ONNX file; copy or download it again")

    def number(self, raw: memoryview, at: int) -> tuple[int, int]:
        """A number in base 128, the least significant digits first.

        Args:
            raw: the message.
            at: where it begins, in bytes.

        Returns:
            The number, and where it ends.

        Raises:
            WeightsError: it does not end within the message, or within 64 bits.
        """
        value = shift = 0
        while True:
            if at >= len(raw) or shift > 63:
                raise self.broken()
            byte = raw[at]
            value |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                return value, at

    def walk(self, raw: memoryview) -> Iterator[tuple[int, Value]]:
        """The fields of a message, one after another.

        Args:
            raw: the message.

        Returns:
            Number, and the value or its bytes.

        Raises:
            WeightsError: a field of a kind that there is not, or longer than the message; too many of them.
        """
        at = 0
        while at < len(raw):
            self.fields += 1
            if self.fields > MOST_FIELDS:
                raise self.broken()
            key, at = self.number(raw, at)
            kind = key & 7
            if kind == 0:
                value, at = self.number(raw, at)
                yield key >> 3, value
                continue
            if kind == 2:
                size, at = self.number(raw, at)
            elif kind in (1, 5):
                size = 8 if kind == 1 else 4
            else:
                raise self.broken()
            if size > len(raw) - at:
                raise self.broken()
            yield key >> 3, raw[at : at + size]
            at += size

    def bytes_of(self, raw: memoryview) -> Iterator[tuple[int, memoryview]]:
        """The fields that are bytes.

        Args:
            raw: the message.

        Returns:
            Number and bytes, one after another.
        """
        for number, value in self.walk(raw):
            if isinstance(value, memoryview):
                yield number, value

    def text(self, raw: memoryview, field_number: int = 0) -> str:
        """The bytes as text; or those of a field.

        Args:
            raw: the text, or the message.
            field_number: 0 for the bytes themselves.

        Returns:
            At most 4096 bytes' worth; what is no UTF-8 is replaced.
        """
        if field_number:
            found = [v for n, v in self.bytes_of(raw) if n == field_number]
            raw = found[-1] if found else raw[:0]
        return bytes(raw[:4096]).decode("utf-8", "replace")
