"""The answering side: one worker a user, warm for a while after its last request, then gone.

The main thread waits for connections; each is served in a thread of its own (talk.py), and the work itself is done one
request at a time.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from .place import Place, Unreachable
from .talk import Describe, Desk, Talk, Work

MOST_CLIENTS = 8  # a further one is turned away, and comes again
FINISH = 30.0  # seconds that a retired worker gives what is under way to notice, and its successor waits for the place
REST = 3.0  # seconds without a request after which memory is given back
log = logging.getLogger(__name__)


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
        self.place, self.idle, self.current, self.rest = place, idle, current, rest
        self.desk = Desk(work, describe)
        self._rested = True
        self._clients: set[threading.Thread] = set()
        self._last = time.monotonic()

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
        while not self.desk.stop.is_set():
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
            thread = threading.Thread(target=Talk(self.desk, link, secret), daemon=True)
            self._clients.add(thread)
            thread.start()


def end_on_signals() -> None:
    """SIGTERM, SIGINT and SIGHUP end the main thread, which clears up."""

    def end(number: int, frame: Any) -> None:
        sys.exit(0)

    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), end)
