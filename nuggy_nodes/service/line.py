"""One photograph at a time, first come, first served, and everybody knows their place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..core.errors import NuggyError

LOOK = 0.2  # seconds between two looks at one's place


class Busy(NuggyError):
    """The line is full. seconds: after which to try again, roughly."""

    def __init__(self, seconds: int):
        super().__init__(f"too many photographs are waiting; try again in {seconds} seconds")
        self.seconds = seconds


class Line:
    """`with line.turn():` holds the only turn; the others wait in the order in which they came."""

    def __init__(self, waiting: int):
        """waiting: how many may wait beside the one whose turn it is."""
        self.waiting = waiting
        self.pace = 2.0  # seconds of a turn, as they have been of late
        self._change = threading.Condition()
        self._tickets: list[object] = []

    def __len__(self) -> int:
        """How many are in the line, the one at work included."""
        return len(self._tickets)

    @contextmanager
    def turn(self, tell: Callable[[int], None] | None = None) -> Iterator[None]:
        """Wait for one's turn and hold it.

        Args:
            tell: called with one's place (1: next) when it changes; what it raises ends the waiting.

        Raises:
            Busy: the line is full.
        """
        from time import perf_counter

        ticket = self._join()
        try:
            self._wait(ticket, tell)
            started = perf_counter()
            yield
            self.pace = 0.8 * self.pace + 0.2 * (perf_counter() - started)
        finally:
            with self._change:
                self._tickets.remove(ticket)
                self._change.notify_all()

    def full(self) -> Busy | None:
        """What would be raised now, without waiting for it."""
        if len(self._tickets) <= self.waiting:
            return None
        return Busy(max(round(self.pace * self.waiting / 2), 1))

    def _join(self) -> object:
        ticket = object()
        with self._change:
            busy = self.full()
            if busy:
                raise busy
            self._tickets.append(ticket)
        return ticket

    def _wait(self, ticket: object, tell: Callable[[int], None] | None) -> None:
        told = 0
        while True:
            with self._change:
                place = self._tickets.index(ticket)
                if place == 0:
                    return
                if tell is None or place == told:
                    self._change.wait(LOOK if tell else None)
                    place = self._tickets.index(ticket)
            if tell and place and place != told:
                told = place
                tell(place)  # outside the lock: it may take its time, or end the waiting
