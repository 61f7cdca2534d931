"""A request's picture: the body itself, or the one file of a form; in memory, counted as it comes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager

import anyio
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from ..core.errors import NuggyError
from .limits import Limits
from .line import Busy

FIELDS = 8  # of a form, beside the file


class Refused(NuggyError):
    """A request that is turned away, with its HTTP status."""

    def __init__(self, status: int, text: str):
        super().__init__(text)
        self.status = status


class Held:
    """Bytes of all uploads that are held at the moment."""

    def __init__(self, most: int):
        self.most, self.now = most, 0

    @contextmanager
    def counted(self) -> Iterator[Counter]:
        """Counts one upload; given back at the end."""
        counter = Counter(self)
        try:
            yield counter
        finally:
            self.now -= counter.bytes


class Counter:
    """Bytes of one upload."""

    def __init__(self, held: Held):
        self._held, self.bytes = held, 0

    def add(self, more: int) -> None:
        """Raises Busy where all uploads together are too much."""
        if self._held.now + more > self._held.most:
            raise Busy(5)
        self._held.now += more
        self.bytes += more


class InMemory(MultiPartParser):  # type: ignore[misc, unused-ignore]
    """Starlette's parser, with nothing on the disk."""

    spool_max_size = 1 << 62


def largest(limits: Limits) -> int:
    """Bytes of the largest body that is read: a file, and a form around it."""
    return (limits.upload_mib << 20) + 4096 * FIELDS


def announced(request: Request) -> int | None:
    """Bytes of a body by its head; None where that does not say."""
    told = request.headers.get("content-length", "")
    return int(told[:18]) if told.isascii() and told.isdigit() else None


def endless(request: Request, limits: Limits) -> bool:
    """Whether more of a body may come than is ever read."""
    told = announced(request)
    return told is None or told > largest(limits)


async def picture_of(request: Request, counter: Counter, limits: Limits) -> tuple[bytes, str]:
    """The picture's bytes and what the sender calls it. Raises Refused, Busy."""
    if (announced(request) or 0) > largest(limits):
        raise Refused(413, f"the file is over the limit of {limits.upload_mib} MiB; send a smaller one")
    try:
        with anyio.fail_after(limits.upload_seconds):
            return await _read(request, counter, limits)
    except TimeoutError:
        raise Refused(
            408, f"the picture has not come within {limits.upload_seconds:g} seconds; send it again"
        ) from None
    except ClientDisconnect:
        raise Refused(400, "the connection ended before the picture did") from None


async def _read(request: Request, counter: Counter, limits: Limits) -> tuple[bytes, str]:
    stream = _limited(request, counter, limits)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        data = b"".join([chunk async for chunk in stream])
        return _checked(data), "picture"
    try:
        form = await InMemory(request.headers, stream, max_files=1, max_fields=FIELDS, max_part_size=4096).parse()
    except MultiPartException as e:
        raise Refused(400, f"the form cannot be read: {e.message}") from None
    files = [v for _, v in form.multi_items() if isinstance(v, UploadFile)]
    if len(files) != 1 or len(form.multi_items()) != 1:
        raise Refused(400, "the form must hold the picture as its one file, and settings stand in the query")
    data = _checked(await files[0].read())
    await form.close()
    return data, files[0].filename or "picture"


async def _limited(request: Request, counter: Counter, limits: Limits) -> AsyncGenerator[bytes, None]:
    async for chunk in request.stream():
        counter.add(len(chunk))
        if counter.bytes > largest(limits):
            raise Refused(413, f"the file is over the limit of {limits.upload_mib} MiB; send a smaller one")
        yield chunk


def _checked(data: bytes) -> bytes:
    if not data:
        raise Refused(400, "the request holds no picture; send it as the body or as a form's file")
    return data
