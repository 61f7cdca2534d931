"""The asking side: reach the warm worker, start one if none is there, send a request, follow its answers.

Runs in GIMP's own Python and in `nuggy gimp check`; standard library only. Nothing here calls GIMP: a Call works in a
thread of its own and puts what happens on a queue, which the caller empties at its own pace.
"""

from __future__ import annotations

import queue
import secrets
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from . import protocol
from .launch import Launch, WorkerError, start
from .place import Place, PlaceError, Unreachable
from .protocol import Bytes, Job, Message, ProtocolError

START_TIMEOUT = 60.0  # a cold disk and a virus scanner; the worker listens before it imports torch
BLOCK = 1 << 20  # bytes of memory taken at a time, at the least
SILENCE = 600.0  # seconds without a word until a worker counts as hung: the longest step of a huge picture


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
        link.sendall(b)


def greet(link: socket.socket, secret: bytes) -> None:
    """The client's half of the handshake."""
    mine = secrets.token_bytes(16)
    link.sendall(protocol.hello(mine))
    theirs = protocol.check_hello(receive(link, protocol.HELLO.size), "the worker")
    protocol.check_proof(receive(link, protocol.PROOF_SIZE), secret, "worker", mine, theirs)
    link.sendall(protocol.proof(secret, "client", mine, theirs))


def reach(place: Place, timeout: float = 10.0) -> socket.socket:
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


class Call:
    """One request, in a thread. events: ("stage", share) pairs; the answer or the failure comes from `result`."""

    def __init__(self, launch: Launch, fields: Mapping[str, Any], blobs: Mapping[str, Bytes] | None = None,
                 sizes: Mapping[str, int] | None = None):  # fmt: skip
        self.launch, self.place = launch, launch.place()
        self.events: queue.Queue[tuple[str, float] | None] = queue.Queue()
        self._fields, self._blobs, self._sizes = fields, blobs or {}, sizes or {}
        self._answer: Message | None = None
        self._error: WorkerError | None = None
        self._link: socket.socket | None = None
        self._cancelled = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def follow(self, tick: float = 0.1) -> Iterator[tuple[str, float] | None]:
        """Stages as they come, and None at every tick without one, until the end."""
        while True:
            try:
                event = self.events.get(timeout=tick)
            except queue.Empty:
                yield None
                continue
            if event is None:
                return
            yield event

    def result(self) -> Message:
        """The answer, once follow() has ended. Raises WorkerError."""
        self._thread.join()
        if self._error:
            raise self._error
        assert self._answer is not None
        return self._answer

    def cancel(self) -> None:
        """Hang up; the worker stops at the next stage."""
        self._cancelled = True
        if self._link:
            try:
                self._link.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _run(self) -> None:
        try:
            self._answer = self._exchange()
        except WorkerError as e:
            self._error = e
        except (ProtocolError, PlaceError) as e:
            self._error = WorkerError("protocol" if isinstance(e, ProtocolError) else "place", str(e))
        except Exception as e:
            self._error = WorkerError("internal", f"{type(e).__name__}: {e}")
        finally:
            self.events.put(None)

    def _exchange(self) -> Message:
        process: subprocess.Popen[bytes] | None = None
        try:
            self.place.prepare()
            link = reach(self.place)
        except TimeoutError:
            raise WorkerError("lost", "the worker is there but does not answer") from None
        except Unreachable:
            self.events.put(("start", 0.0))
            process = start(self.launch, self.place)
            link = self._await(process)
        self._link = link
        with link:
            try:
                if self._cancelled:
                    raise WorkerError("cancelled", "cancelled")
                link.settimeout(SILENCE)
                try:
                    send(link, protocol.encode(self._fields, self._blobs))
                except (BrokenPipeError, ConnectionResetError):
                    pass  # it may have said why before it hung up
                return self._listen(link)
            except TimeoutError:
                raise WorkerError("lost", f"the worker has said nothing for {SILENCE:.0f} seconds") from None
            except (EOFError, OSError):
                if self._cancelled:
                    raise WorkerError("cancelled", "cancelled") from None
                self.place.remove_dead()
                status = self._status(process)
                words = self.place.last_words()
                raise WorkerError("lost", "\n".join(filter(None, (status, words)))) from None

    @staticmethod
    def _status(process: subprocess.Popen[bytes] | None) -> str:
        if process is None:
            return ""
        try:
            return f"status {process.wait(timeout=1)}"
        except subprocess.TimeoutExpired:
            return ""

    def _await(self, process: subprocess.Popen[bytes]) -> socket.socket:
        """Wait for a worker that has been started. It ends with status 0 if another one is there already."""
        until = time.monotonic() + START_TIMEOUT
        while time.monotonic() < until and not self._cancelled:
            try:
                return reach(self.place)
            except Unreachable:
                pass
            status = process.poll()
            if status:
                self.place.remove_dead()
                words = self.place.last_words()
                raise WorkerError("start", f"{' '.join(self.launch.command())}\nstatus {status}\n{words}".rstrip())
            time.sleep(0.05)
        if self._cancelled:
            raise WorkerError("cancelled", "cancelled")
        raise WorkerError(
            "start",
            f"{' '.join(self.launch.command())}\nno answer for {START_TIMEOUT:.0f} seconds\n{self.place.last_words()}",
        )

    def _listen(self, link: socket.socket) -> Message:
        while True:
            fields = protocol.read_fields(lambda n: receive(link, n))
            if "error" in fields:
                raise WorkerError(str(fields["error"]), str(fields.get("text", "")))
            if "done" in fields:
                return Message(fields, protocol.read_blobs(lambda n: receive(link, n), fields, self._sizes))
            self.events.put((str(fields.get("stage", "")), float(fields.get("share", 0.0))))


def ask(launch: Launch, job: Job, blobs: Mapping[str, Bytes]) -> Call:
    """Ask for a mask."""
    return Call(launch, job.to_fields(), blobs, job.answer_sizes())


def ping(launch: Launch) -> dict[str, Any]:
    """What the worker says of itself, once it can work; started if need be. Raises WorkerError."""
    call = Call(launch, {"do": "ping"})
    for _ in call.follow():
        pass
    return call.result().fields


def quit(place: Place) -> bool:
    """Have a worker that is there end, and wait for it. False if there was none."""
    try:
        with reach(place) as link:
            send(link, protocol.encode({"do": "quit"}))
            while link.recv(4096):
                pass
    except (Unreachable, OSError):
        place.remove_dead()
        return False
    until = time.monotonic() + 10
    while time.monotonic() < until:
        lock = place.take_lock()
        if lock:
            lock.close()
            return True
        time.sleep(0.05)
    return True
