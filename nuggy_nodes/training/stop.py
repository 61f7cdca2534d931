"""Ctrl-C while something is under way that should end in good order."""

from __future__ import annotations

import signal
from typing import Any


class Stop:
    """While it is open, Ctrl-C and a polite end (SIGTERM) only set `wanted`; a second one ends there and then."""

    def __init__(self) -> None:
        self.wanted = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        try:
            self._before = {s: signal.signal(s, self._ask) for s in (signal.SIGINT, signal.SIGTERM)}
        except ValueError:  # not the main thread: no signal comes here
            self._before = {}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, *_: Any) -> None:
        if self.wanted:  # asked before, and what is under way is long
            raise KeyboardInterrupt
        self.wanted = True
