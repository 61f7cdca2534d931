"""Bytes over a connection, and the client's half of the handshake. Standard library only."""

from __future__ import annotations

import secrets
import socket
import time

from . import protocol
from .place import Place, Unreachable
from .protocol import Bytes

BLOCK = 1 << 20  # bytes of memory taken at a time, at the least
PIECE = 1 << 22  # bytes that are sent at a time, each within the connection's timeout
GREET = 10.0  # seconds for a handshake


def receive(link: socket.socket, size: int, until: float | None = None) -> Bytes:
    """Exactly so many bytes; memory is taken as they come, not as they are announced.

    Args:
        link: its timeout bounds the wait for each next byte.
        size: bytes.
        until: time (time.monotonic) by which all of them must be there; None: whenever.

    Returns:
        The bytes.

    Raises:
        EOFError: the other side hung up.
        TimeoutError: it is too slow.
    """
    data, at, patience = bytearray(), 0, link.gettimeout()
    try:
        while at < size:
            if at == len(data):
                data += bytes(min(size - at, max(BLOCK, at // 8)))
            if until is not None:
                left = until - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"{at} of {size} bytes came in time")
                link.settimeout(left if patience is None else min(left, patience))
            with memoryview(data) as view, view[at:] as rest:
                got = link.recv_into(rest)
            if not got:
                raise EOFError("the other side hung up")
            at += got
    finally:
        if until is not None:
            link.settimeout(patience)
    return data


def send(link: socket.socket, buffers: list[Bytes]) -> None:
    for b in buffers:
        view = memoryview(b).cast("B")
        for at in range(0, len(view), PIECE):
            link.sendall(view[at : at + PIECE])


def greet(link: socket.socket, secret: bytes) -> None:
    """The client's half of the handshake."""
    mine = secrets.token_bytes(16)
    link.sendall(protocol.hello(mine))
    theirs = protocol.check_hello(receive(link, protocol.HELLO.size), "the worker")
    protocol.check_proof(receive(link, protocol.PROOF_SIZE), secret, "worker", mine, theirs)
    link.sendall(protocol.proof(secret, "client", mine, theirs))


def reach(place: Place, timeout: float = GREET) -> socket.socket:
    """A greeted connection to a worker that is there. Raises Unreachable if there is none."""
    link, secret = place.connect(timeout)
    try:
        greet(link, secret)
    except (EOFError, ConnectionError) as e:  # it is just ending
        link.close()
        raise Unreachable(str(e)) from None
    except BaseException:
        link.close()
        raise
    return link
