"""Many photographs: while one is cut out, the next is read and the one before is encoded.

Decoding and encoding files takes one core as long as the network takes several, so each has a thread of its own; what
has waited in between is at most one photograph on either side, however many there are; a large one has the memory to
itself. Files are written here, in the
calling thread and in order, so that Ctrl-C finds no writer at work.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import Any

from ..core.errors import NuggyError
from ..pictures import Picture
from .jobs import Job
from .work import Worker

Report = Callable[[str, float], None]


@dataclass
class Turn:
    """One job under way: what is known of it, and either its file's bytes to come or why there are none."""

    job: Job
    started: float
    done: dict[str, Any] = field(default_factory=dict)
    encoded: Future[tuple[bytes, float]] | None = None
    failure: Exception | None = None

    def ready(self) -> bool:
        """Whether nothing is to be waited for."""
        return self.failure is not None or (self.encoded is not None and self.encoded.done())


class Stream:
    """Does jobs in order: iterate `turns`, and `finish` each turn once, in the same order."""

    def __init__(self, worker: Worker, jobs: Sequence[Job]):
        self._worker, self._jobs = worker, jobs
        self._reader, self._encoder = _Thread("nuggy-read"), _Thread("nuggy-encode")

    def turns(self, report: Callable[[Job], Report]) -> Iterator[Turn]:
        """Every job when its subject has been cut out, or has failed; report(job) gives its progress callback."""
        ahead, before = self._read(0), None
        for i, job in enumerate(self._jobs):
            turn, reading = Turn(job, time.perf_counter()), ahead
            try:
                if reading is None:
                    raise NuggyError(job.error)
                picture, seconds = reading.result()
                if not self._worker.alone(picture):
                    ahead = self._read(i + 1)
                elif before and before.encoded:
                    before.encoded.exception()  # waits for it
                made, turn.done = self._worker.cut(job, picture, report(job))
                turn.done["seconds"] = {"read": seconds, **turn.done["seconds"]}
                turn.encoded = self._encoder.do(partial(_timed, partial(self._worker.encode, made, picture)))
                del made, picture
            except Exception as e:
                turn.failure = e
            if reading is ahead:
                ahead = self._read(i + 1)
            before = turn
            yield turn

    def finish(self, turn: Turn) -> dict[str, Any]:
        """Write a turn's file; say what was done. Raises what made the turn fail, NuggyError mostly."""
        if turn.failure:
            raise turn.failure
        assert turn.encoded is not None
        data, encoding = turn.encoded.result()
        _, writing = _timed(lambda: self._worker.write(turn.job, data))
        seconds = {**turn.done["seconds"], "encode": encoding, "write": writing}
        return turn.done | {"seconds": {k: round(v, 4) for k, v in seconds.items()}}

    def _read(self, i: int) -> Future[tuple[Picture, float]] | None:
        if i >= len(self._jobs) or self._jobs[i].error:
            return None
        return self._reader.do(partial(_timed, partial(self._worker.read, self._jobs[i])))


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    return work(), time.perf_counter() - started


class _Thread:
    """Does one thing after another in a thread that does not keep the process alive (Ctrl-C ends at once)."""

    def __init__(self, name: str):
        self._todo: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def do(self, work: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        self._todo.put((future, work))
        return future

    def _run(self) -> None:
        while True:
            future, work = self._todo.get()
            try:
                future.set_result(work())
            except BaseException as e:
                future.set_exception(e)
            del future, work  # a photograph is not to live until the next
