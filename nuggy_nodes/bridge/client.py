"""The asking side: a job for the worker, a ping, and having it quit.

Runs in GIMP's own Python and in `nuggy gimp check`; standard library only.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from . import process_state, protocol
from .call import Call
from .job import Job
from .launch import Launch
from .place import Place, Unreachable
from .protocol import Bytes, Message
from .wire import reach, send


class Question:
    """A job asked for. Its pixels are sent where the worker does not have them any more, and not before."""

    def __init__(self, launch: Launch, job: Job, blobs: Mapping[str, Bytes]):
        self.launch, self.job, self.blobs = launch, job, blobs
        lacking = replace(job, has_pixels=False) if job.key else job
        self.call = self._ask(lacking)

    def _ask(self, job: Job) -> Call:
        sent = {name: self.blobs[name] for name in job.sizes()}
        return Call(self.launch, job.to_fields(), sent, job.answer_sizes())

    @property
    def events(self) -> queue.Queue[tuple[str, float] | None]:
        """Of the call that goes on."""
        return self.call.events

    def again(self) -> bool:
        """After the end of the call: whether it is asked once more, with the pixels."""
        error = self.call.error
        if error is None or error.kind != "unknown" or self.call.cancelled:
            return False
        self.call = self._ask(self.job)
        return True

    def follow(self, tick: float = 0.1) -> Iterator[tuple[str, float] | None]:
        """As Call.follow."""
        yield from self.call.follow(tick)
        while self.again():
            yield from self.call.follow(tick)

    def result(self) -> Message:
        """As Call.result."""
        return self.call.result()

    def cancel(self) -> None:
        """As Call.cancel."""
        self.call.cancel()


def ask(launch: Launch, job: Job, blobs: Mapping[str, Bytes]) -> Question:
    """Ask for a mask."""
    return Question(launch, job, blobs)


def ping(launch: Launch) -> dict[str, Any]:
    """What the worker says of itself, once it can work; started if need be. Raises WorkerError."""
    call = Call(launch, {"do": "ping"})
    for _ in call.follow():
        pass
    return call.result().fields


def quit(place: Place) -> bool:
    """Have a worker that is there end, and wait for it; one that does not answer is ended. False if there was none.

    Whoever takes its place meanwhile, for somebody else's request, is left alone.
    """
    pid = place.worker()
    try:
        with reach(place) as link:
            pid = place.worker() or pid
            send(link, protocol.encode({"do": "quit"}))
            while link.recv(4096):
                pass
    except (Unreachable, OSError):
        if not pid or not process_state.end(pid):
            place.remove_dead()
            return False
    until = time.monotonic() + 10
    while pid and place.worker() == pid:
        if time.monotonic() > until:
            process_state.end(pid)
            until += 5
        time.sleep(0.05)
    place.remove_dead()
    return True
