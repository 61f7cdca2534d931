"""One connection at the worker's end: handshake, request, answer.

Who hangs up is noticed whenever the work reports (ten times a second), and its work ends there. A worker that is told
to quit ends what is under way: its client asks the next worker.
"""

from __future__ import annotations

import logging
import os
import secrets
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..process import free_memory
from . import protocol
from .job import Job
from .peer import is_this_user
from .protocol import Bytes, Message, ProtocolError
from .wire import receive, send

Report = Callable[[str, float], None]
Work = Callable[[Job, dict[str, Bytes], Report], Message]
Describe = Callable[[], dict[str, Any]]

QUEUE = 1.0  # seconds in which a cancelled job ends; a longer wait is told
PATIENCE = 20.0  # seconds for a handshake, for a request without its blobs, and until these begin
SLOWEST = 8 << 20  # bytes a second that blobs come in at the least
log = logging.getLogger(__name__)


class Gone(Exception):
    """Nobody waits for this work any more."""


class RequestError(Exception):
    """The work cannot be done; `kind` as in protocol.py, the text for the user."""

    def __init__(self, kind: str, text: str):
        super().__init__(text)
        self.kind = kind


@dataclass
class Desk:
    """What all connections of one worker share: the work, done one job at a time; what a ping is answered with; and
    whether the worker was told to quit."""

    work: Work
    describe: Describe
    turn: threading.Lock = field(default_factory=threading.Lock)
    stop: threading.Event = field(default_factory=threading.Event)


class Talk:
    """One connection, with the secret of the place where it was made. Called in a thread of its own."""

    def __init__(self, desk: Desk, link: socket.socket, secret: bytes):
        self.desk, self.link, self.secret = desk, link, secret

    def __call__(self) -> None:
        """Serve it, and close it."""
        with self.link as link:
            try:
                link.settimeout(PATIENCE)
                if not is_this_user(link):
                    raise ProtocolError("another user")
                greet(link, self.secret)
                self._answer()
            except ProtocolError as e:
                log.warning("refused: %s", e)
                self._say({"error": "protocol", "text": str(e)})
            except RequestError as e:
                self._say({"error": e.kind, "text": str(e)})
            except (Gone, EOFError, OSError) as e:
                log.info("hung up at: %s", e)
            except MemoryError:
                self._say({"error": "memory", "text": "the request does not fit into memory"})
            except Exception as e:
                log.exception("failed")
                self._say({"error": "internal", "text": f"{type(e).__name__}: {e}"})

    def _say(self, fields: dict[str, Any]) -> None:
        try:
            send(self.link, protocol.encode(fields))
        except OSError:
            pass

    def _answer(self) -> None:
        link, desk = self.link, self.desk
        until = time.monotonic() + PATIENCE
        fields = protocol.read_fields(lambda n: receive(link, n, until))
        do = fields.get("do")
        if do == "quit":
            desk.stop.set()
            answer = Message({"done": "quit"})
        elif do == "ping":
            answer = Message({"done": "ping", "pid": os.getpid(), **desk.describe()})
        elif do == "cutout":
            job = Job.from_fields(fields)
            blobs = self._blobs(fields, job)
            what = f"{job.width}x{job.height} {job.want} {job.recipe}"
            self._wait_for_turn()
            try:
                log.info("%s begins", what)
                answer = desk.work(job, blobs, self.report)
            finally:
                desk.turn.release()
            log.info("%s ends: %s", what, answer.fields)
            answer.fields["done"] = "cutout"
        else:
            raise ProtocolError(f"a request to do {str(do)[:50]!r}")
        link.settimeout(PATIENCE)
        send(link, protocol.encode(answer.fields, answer.blobs))

    def _blobs(self, fields: dict[str, Any], job: Job) -> dict[str, Bytes]:
        """What comes with a request, where there is memory for it and it comes in time."""
        protocol.check_announced(fields, job.sizes())
        size, free = sum(job.sizes().values()), free_memory()
        if free is not None and size > free:
            text = f"{job.width}x{job.height} pixels come in {size / 2**30:.1f} GiB, and {free / 2**30:.1f} are free"
            raise RequestError("memory", text)
        until = time.monotonic() + PATIENCE + size / SLOWEST
        return protocol.read_blobs(lambda n: receive(self.link, n, until), fields, job.sizes())

    def report(self, stage: str, share: float) -> None:
        """Tell the client where its work is. Raises Gone if it has hung up, RequestError if the worker shall quit."""
        if hung_up(self.link):
            raise Gone(stage)
        if self.desk.stop.is_set():
            raise RequestError("ended", "the worker was told to quit")
        send(self.link, protocol.encode({"stage": stage, "share": round(share, 4)}))

    def _wait_for_turn(self) -> None:
        begun = time.monotonic()
        while not self.desk.turn.acquire(timeout=0.1):
            self.report("waiting" if time.monotonic() - begun > QUEUE else "read", 0.0)


def greet(link: socket.socket, secret: bytes) -> None:
    """The worker's half of the handshake. A client of another version is told ours before it is turned away."""
    mine, until = secrets.token_bytes(16), time.monotonic() + PATIENCE
    first = receive(link, protocol.HELLO.size, until)
    if bytes(first[: len(protocol.MAGIC)]) != protocol.MAGIC:
        raise ProtocolError(f"a client that began with {bytes(first)[:8]!r}")
    link.sendall(protocol.hello(mine))
    theirs = protocol.check_hello(first, "the plug-in")
    link.sendall(protocol.proof(secret, "worker", theirs, mine))
    protocol.check_proof(receive(link, protocol.PROOF_SIZE, until), secret, "client", theirs, mine)


def hung_up(link: socket.socket) -> bool:
    """Whether the client has closed its end (or sent what nobody asked for, which comes to the same)."""
    return bool(select.select([link], [], [], 0)[0])
