"""One request to the worker, in a thread of its own: reach it, start one if none is there, follow its answers.

Nothing here calls GIMP: what happens goes on a queue, which the caller empties at its own pace. Standard library only.
"""

from __future__ import annotations

import queue
import select
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from . import process_state, protocol
from .launch import Launch, WorkerError, start
from .place import PlaceError, Unreachable
from .protocol import Bytes, Message, ProtocolError
from .wire import GREET, reach, receive, send

START_TIMEOUT = 60.0  # a cold disk and a virus scanner; the worker listens before it imports torch
SILENCE = 600.0  # seconds without a word until a worker counts as hung: the longest step of a huge picture
LOOK = 5.0  # seconds of silence after which it is looked whether the worker is stopped
ENDED = 3  # workers that are told to quit under one request, until it is given up


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

    @property
    def error(self) -> WorkerError | None:
        """What went wrong, once follow() has ended."""
        self._thread.join()
        return self._error

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        """Hang up; the worker stops within a part of a second."""
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
        """The answer. A worker that is told to quit meanwhile hands over to the next one."""
        for _ in range(ENDED):
            try:
                return self._one()
            except WorkerError as e:
                if e.kind != "ended":
                    raise
        raise WorkerError("lost", "the worker is told to quit again and again")

    def _one(self) -> Message:
        process: subprocess.Popen[bytes] | None = None
        since = self.place.log_size()
        try:
            self.place.prepare()
            link = reach(self.place)
        except TimeoutError:
            raise self._silent(GREET) from None
        except Unreachable:
            self.events.put(("start", 0.0))
            process, since = start(self.launch, self.place), 0
            link = self._await(process)
        self._link = link
        with link:
            try:
                if self._cancelled:
                    raise WorkerError("cancelled", "cancelled")
                link.settimeout(GREET)
                try:
                    send(link, protocol.encode(self._fields, self._blobs))
                except (BrokenPipeError, ConnectionResetError):
                    pass  # it may have said why before it hung up
                return self._listen(link)
            except TimeoutError:
                raise self._silent(GREET) from None
            except (EOFError, OSError):
                if self._cancelled:
                    raise WorkerError("cancelled", "cancelled") from None
                self.place.remove_dead()
                status = self._status(process)
                words = self.place.last_words(since=since)
                raise WorkerError("lost", "\n".join(filter(None, (status, words)))) from None

    def _silent(self, seconds: float) -> WorkerError:
        pid = self.place.worker()
        return WorkerError("stopped" if process_state.is_stopped(pid) else "silent", str(pid or f"{seconds:.0f} s"))

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
        until, again = time.monotonic() + START_TIMEOUT, 0.0
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
            if status == 0:  # another one was there, and may be ending
                again = again or time.monotonic() + 1.0
                if time.monotonic() > again and not self.place.worker():
                    process, again = start(self.launch, self.place), 0.0
            time.sleep(0.05)
        if self._cancelled:
            raise WorkerError("cancelled", "cancelled")
        raise WorkerError(
            "start",
            f"{' '.join(self.launch.command())}\nno answer for {START_TIMEOUT:.0f} seconds\n{self.place.last_words()}",
        )

    def _listen(self, link: socket.socket) -> Message:
        while True:
            until = time.monotonic() + SILENCE
            while not select.select([link], [], [], LOOK)[0]:
                if process_state.is_stopped(self.place.worker()) or time.monotonic() > until:
                    raise self._silent(SILENCE)
            fields = protocol.read_fields(lambda n: receive(link, n))
            if "error" in fields:
                raise WorkerError(str(fields["error"]), str(fields.get("text", "")))
            if "done" in fields:
                return Message(fields, protocol.read_blobs(lambda n: receive(link, n), fields, self._sizes))
            self.events.put((str(fields.get("stage", "")), float(fields.get("share", 0.0))))
