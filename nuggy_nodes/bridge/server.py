"""The answering side: one worker a user, warm for a while after its last request, then gone.

The main thread waits for connections; each is served in a thread of its own, and the work itself is done one request at
a time. Who hangs up is noticed whenever the work reports (ten times a second), and its work ends there. A worker that
is told to quit ends what is under way: its client asks the next worker.
"""

from __future__ import annotations

import logging
import os
import secrets
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from ..process import free_memory
from . import protocol
from .job import Job
from .place import Place, PlaceError, Unreachable, is_this_user
from .protocol import Bytes, Message, ProtocolError
from .wire import receive, send

Report = Callable[[str, float], None]
Work = Callable[[Job, dict[str, Bytes], Report], Message]
Describe = Callable[[], dict[str, Any]]

MOST_CLIENTS = 8  # a further one is turned away, and comes again
FINISH = 30.0  # seconds that a retired worker gives what is under way to notice, and its successor waits for the place
REST = 3.0  # seconds without a request after which memory is given back
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


class Server:
    """Serves `work` at `place` until nothing has been asked for `idle` seconds.

    describe() gives what a ping is answered with, and may take its time. current() says whether the code on the disk is
    still the code that runs; when it is not, the worker ends before its next request and the client starts a new one.
    rest() is called when a while nothing was asked, to give memory back.
    """

    def __init__(
        self,
        place: Place,
        work: Work,
        *,
        idle: float = 300.0,
        describe: Describe = dict,
        current: Callable[[], bool] = lambda: True,
        rest: Callable[[], None] = lambda: None,
    ):
        self.place, self.work, self.idle = place, work, idle
        self.describe, self.current, self.rest = describe, current, rest
        self._rested = True
        self._turn = threading.Lock()
        self._clients: set[threading.Thread] = set()
        self._last = time.monotonic()
        self._stop = threading.Event()

    def serve(self) -> bool:
        """Serve until idle, retired or interrupted. False if another worker serves this place already."""
        self.place.prepare()
        lock = self._take_lock()
        if lock is None:
            return False
        with lock:
            lock.truncate(0)
            lock.write(b"%d\n" % os.getpid())
            server, secret = self.place.listen()
            try:
                self._accept(server, secret)
            finally:
                server.close()
                self.place.remove()
            for client in self._clients:  # retired with work in hand: that is told first
                client.join(FINISH)
        return True

    def _take_lock(self) -> Any:
        """The lock, or None if another worker serves; waits for one that is ending, and a client that clears up."""
        until = time.monotonic() + FINISH
        while True:
            lock = self.place.take_lock()
            if lock or time.monotonic() > until:
                return lock
            try:
                self.place.connect(1.0)[0].close()
                return None
            except Unreachable:
                time.sleep(0.05)

    def _accept(self, server: socket.socket, secret: bytes) -> None:
        server.settimeout(0.25)
        self._last = time.monotonic()
        while not self._stop.is_set():
            self._clients = {t for t in self._clients if t.is_alive()}
            if self._clients:
                self._last, self._rested = time.monotonic(), False
            elif not self._rested and time.monotonic() - self._last > REST:
                self._rested = True
                self.rest()
            elif self.idle and time.monotonic() - self._last > self.idle:
                log.info("nothing to do for %g seconds", self.idle)
                return
            try:
                link, _ = server.accept()
            except TimeoutError:
                continue
            if not self._clients and not self.current():
                link.close()
                log.info("the code on the disk has changed")
                return
            if len(self._clients) >= MOST_CLIENTS:
                link.close()
                continue
            thread = threading.Thread(target=self._serve, args=(link, secret), daemon=True)
            self._clients.add(thread)
            thread.start()

    def _serve(self, link: socket.socket, secret: bytes) -> None:
        with link:
            try:
                link.settimeout(PATIENCE)
                if not is_this_user(link):
                    raise ProtocolError("another user")
                greet(link, secret)
                self._answer(link)
            except (ProtocolError, PlaceError) as e:
                log.warning("refused: %s", e)
                self._say(link, {"error": "protocol", "text": str(e)})
            except RequestError as e:
                self._say(link, {"error": e.kind, "text": str(e)})
            except (Gone, EOFError, OSError) as e:
                log.info("hung up at: %s", e)
            except MemoryError:
                self._say(link, {"error": "memory", "text": "the request does not fit into memory"})
            except Exception as e:
                log.exception("failed")
                self._say(link, {"error": "internal", "text": f"{type(e).__name__}: {e}"})

    @staticmethod
    def _say(link: socket.socket, fields: dict[str, Any]) -> None:
        try:
            send(link, protocol.encode(fields))
        except OSError:
            pass

    def _answer(self, link: socket.socket) -> None:
        until = time.monotonic() + PATIENCE
        fields = protocol.read_fields(lambda n: receive(link, n, until))
        do = fields.get("do")
        if do == "quit":
            self._stop.set()
            answer = Message({"done": "quit"})
        elif do == "ping":
            answer = Message({"done": "ping", "pid": os.getpid(), **self.describe()})
        elif do == "cutout":
            job = Job.from_fields(fields)
            blobs = self._blobs(link, fields, job)
            report = self._reporter(link)
            what = f"{job.width}x{job.height} {job.want} {job.recipe}"
            self._wait_for_turn(report)
            try:
                log.info("%s begins", what)
                answer = self.work(job, blobs, report)
            finally:
                self._turn.release()
            log.info("%s ends: %s", what, answer.fields)
            answer.fields["done"] = "cutout"
        else:
            raise ProtocolError(f"a request to do {str(do)[:50]!r}")
        link.settimeout(PATIENCE)
        send(link, protocol.encode(answer.fields, answer.blobs))

    def _blobs(self, link: socket.socket, fields: dict[str, Any], job: Job) -> dict[str, Bytes]:
        """What comes with a request, where there is memory for it and it comes in time."""
        protocol.check_announced(fields, job.sizes())
        size, free = sum(job.sizes().values()), free_memory()
        if free is not None and size > free:
            text = f"{job.width}x{job.height} pixels come in {size / 2**30:.1f} GiB, and {free / 2**30:.1f} are free"
            raise RequestError("memory", text)
        until = time.monotonic() + PATIENCE + size / SLOWEST
        return protocol.read_blobs(lambda n: receive(link, n, until), fields, job.sizes())

    def _reporter(self, link: socket.socket) -> Report:
        def report(stage: str, share: float) -> None:
            if hung_up(link):
                raise Gone(stage)
            if self._stop.is_set():
                raise RequestError("ended", "the worker was told to quit")
            send(link, protocol.encode({"stage": stage, "share": round(share, 4)}))

        return report

    def _wait_for_turn(self, report: Report) -> None:
        begun = time.monotonic()
        while not self._turn.acquire(timeout=0.1):
            report("waiting" if time.monotonic() - begun > QUEUE else "read", 0.0)


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


def end_on_signals() -> None:
    """SIGTERM, SIGINT and SIGHUP end the main thread, which clears up."""

    def end(number: int, frame: Any) -> None:
        sys.exit(0)

    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), end)
