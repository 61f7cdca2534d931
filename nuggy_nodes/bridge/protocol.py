"""What the GIMP plug-in and the worker say to each other. Pure: no sockets here, bytes in and bytes out.

One connection carries one request.

1. Handshake. The client sends MAGIC, its VERSION and a nonce; the worker answers with its own MAGIC, VERSION and nonce
   and a proof; the client sends its proof. A proof is an HMAC-SHA256 over both nonces with the secret of the place
   where the two meet (place.py): empty on a Unix socket, where the kernel names the peer's user; on a loopback port the
   content of a file that only the user can read. A peer that is something else is found out at the first bytes.
2. One request, a message. `do` says what: "cutout" (fields: see job.py), "ping" or "quit".
3. Answers: any number of messages {"stage", "share"} while the work goes on, then one with "done", or one with "error"
   (a kind: input, memory, weights, protocol, internal; unknown: the pixels are not there any more, send them; ended:
   the worker was told to quit, ask the next one) and "text". The worker closes the connection.
   The client may hang up at any time; the worker then stops within a part of a second.

A message is a length (4 bytes, big-endian), so many bytes of a JSON object, and the blobs that its "blobs" field
announces as [name, length] pairs. Samples in blobs are in the machine's byte order: both ends are on it.

Why not multiprocessing.connection, which has Unix sockets, named pipes and a secret's challenge? Tried on 2026-11-27
(Python 3.11, and by its source 3.10 to 3.14):

- A client that connects and says nothing holds Listener.accept(authkey) for everybody, for there is no timeout in it,
  nor in recv_bytes: poll() tells of a first byte, and a dripping client holds the thread for good after it. close()
  from another thread does not wake it, so a retoucher's Cancel would not either. Each would need a thread that watches.
- Before 3.12 the challenge is HMAC-MD5; GIMP's Python and the worker's differ, and they agree on the weaker one.
- It does not say whose the other end is, which on a Unix socket the kernel tells (peer.py), nor which version speaks.
- recv() unpickles, so it could be used in recv_bytes(maxlength) alone: the JSON, its sizes and its checks stay here.
- accept() of a named pipe cannot be left after a while, as an idle or retired worker must.

What it would take away is the handshake here and in wire.py, and place.py's card of the loopback port: some 80 lines of
the 900 that speak, and as many would come for the deadlines. So it stays with plain sockets. Memory is the same for
both (256 MiB received: 256 MiB there, 260 here).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAGIC, VERSION = b"NUGGY", 2
HELLO = struct.Struct("!5sB16s")  # magic, version, nonce
PROOF_SIZE = 32
LENGTH = struct.Struct("!I")

MOST_HEADER = 1 << 16  # bytes of JSON; a longer length is garbage

Bytes = bytes | bytearray | memoryview
Read = Callable[[int], Bytes]  # exactly so many bytes, or an exception


class ProtocolError(Exception):
    """The other side did not keep to the protocol, or speaks another version of it."""


@dataclass(frozen=True)
class Message:
    """A JSON object and the bytes that came with it."""

    fields: dict[str, Any]
    blobs: dict[str, Bytes] = field(default_factory=dict)


def hello(nonce: bytes) -> bytes:
    """The first bytes of either side. nonce: 16 random bytes."""
    return HELLO.pack(MAGIC, VERSION, nonce)


def check_hello(data: Bytes, who: str) -> bytes:
    """The nonce in the other side's first bytes. Raises ProtocolError on another program or version."""
    magic, version, nonce = HELLO.unpack(data)
    if magic != MAGIC:
        raise ProtocolError(f"{who} is not Nuggy's: it began with {bytes(data)[:8]!r}")
    if version != VERSION:
        raise ProtocolError(f"{who} speaks version {version} of the protocol and this side version {VERSION}")
    return bytes(nonce)


def proof(secret: bytes, who: str, client_nonce: bytes, worker_nonce: bytes) -> bytes:
    """What `who` ("client" or "worker") sends to show that it has the secret, which itself is never sent."""
    return hmac.new(secret, who.encode() + client_nonce + worker_nonce, hashlib.sha256).digest()


def check_proof(data: Bytes, secret: bytes, who: str, client_nonce: bytes, worker_nonce: bytes) -> None:
    """Raises ProtocolError unless `data` is the proof of `who`."""
    if not hmac.compare_digest(bytes(data), proof(secret, who, client_nonce, worker_nonce)):
        raise ProtocolError(f"the {who} does not know the secret")


def encode(fields: Mapping[str, Any], blobs: Mapping[str, Bytes] | None = None) -> list[Bytes]:
    """A message as buffers to be sent one after another; the blobs are not copied."""
    blobs = blobs or {}
    views = {k: memoryview(v).cast("B") for k, v in blobs.items()}
    announced = {**fields, "blobs": [[k, len(v)] for k, v in views.items()]} if views else dict(fields)
    text = json.dumps(announced).encode()
    if len(text) > MOST_HEADER:
        raise ProtocolError(f"a message of {len(text)} bytes is too long")
    return [LENGTH.pack(len(text)) + text, *views.values()]


def read_fields(read: Read) -> dict[str, Any]:
    """The JSON object of the next message; its blobs are still to be read (read_blobs). Raises ProtocolError."""
    (length,) = LENGTH.unpack(read(LENGTH.size))
    if length > MOST_HEADER:
        raise ProtocolError(f"a message announces {length} bytes, more than {MOST_HEADER}")
    try:
        fields = json.loads(bytes(read(length)))
    except (ValueError, RecursionError):
        raise ProtocolError("a message is not JSON") from None
    if not isinstance(fields, dict):
        raise ProtocolError("a message is not a JSON object")
    return fields


def check_announced(fields: Mapping[str, Any], sizes: Mapping[str, int]) -> None:
    """Raises ProtocolError unless a message announces the blobs of `sizes`."""
    announced: Sequence[Any] = fields.get("blobs", [])
    if announced != [[k, v] for k, v in sizes.items()]:
        shown = str(announced)[:200]
        raise ProtocolError(f"a message comes with {shown}; expected {dict(sizes)}")


def read_blobs(read: Read, fields: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, Bytes]:
    """The blobs of a message. What it announces must be `sizes`, which is checked before anything is read."""
    check_announced(fields, sizes)
    return {name: read(size) for name, size in sizes.items()}
