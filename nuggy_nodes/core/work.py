"""The work as it goes on: what is told of it, and the seconds that its stages took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[str, float], None]  # stage, share of the whole work done (0..1)
NETWORK = 0.8  # the network's share of the whole work


class Work:
    """Tells a Report, if there is one, and keeps `seconds` by stage."""

    def __init__(self, report: Report | None = None):
        self.report, self.seconds = report, dict[str, float]()

    def tell(self, stage: str, share: float) -> None:
        """Tell the report, whose exception ends the work.

        Args:
            stage: what is being done.
            share: of the whole work that is done, 0..1.
        """
        if self.report:
            self.report(stage, share)

    def of_network(self, done: int, total: int) -> None:
        """Progress of the network's part.

        Args:
            done, total: in squares.
        """
        self.tell("network", NETWORK * done / total)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Adds the time of its block to the stage's seconds.

        Args:
            name: the stage's.

        Returns:
            A context.
        """
        started = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
