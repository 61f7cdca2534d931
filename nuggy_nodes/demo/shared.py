"""What all pages share: the network, and the shelf of what is kept for them."""

from __future__ import annotations

import threading
import time
from functools import cache

from ..cli.network import options
from ..core.errors import NuggyError
from ..process import free_memory, give_back
from ..service.engine import Studio
from .arguments import arguments, limits
from .photo import Shelf

ROUND = 30.0  # seconds between two looks for what has become old, at the most
_loading = threading.Lock()


def shared() -> tuple[Studio, Shelf]:
    """The network and the shelf; the first call loads the network, who comes meanwhile waits. Raises NuggyError."""
    with _loading:
        return _made()


@cache
def _made() -> tuple[Studio, Shelf]:
    told, most = arguments(), limits()
    studio = Studio(most, told.device, told.precision, told.network, options(told))
    kept = min(most.kept_mib << 20, (free_memory() or 8 << 30) // 3)
    shelf = Shelf(kept, most.keep_minutes * 60)
    threading.Thread(target=watch, args=(studio, shelf), daemon=True, name="shelf").start()
    return studio, shelf


def begin() -> None:
    """Load the network while the first page is on its way; what fails is said on the page."""

    def load() -> None:
        try:
            shared()
        except NuggyError:
            pass  # the page calls it again and says it

    threading.Thread(target=load, daemon=True, name="network").start()


def watch(studio: Studio, shelf: Shelf, rounds: int = -1) -> None:
    """Let go of what nobody has used for long, whether or not somebody comes. rounds: how often; -1: without end."""
    every = min(ROUND, shelf.seconds / 4)
    while rounds:
        rounds -= 1
        time.sleep(every)
        if shelf.old():
            try:
                with studio.line.turn():
                    shelf.tidy()
                    give_back()
            except NuggyError:
                continue  # the line is full: who comes tidies, too
