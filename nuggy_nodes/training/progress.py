"""Progress bars on standard error, with the time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def shown(what: str, unit: str, show: bool = True) -> Iterator[Callable[[int, int], None]]:
    """A bar that comes with the first progress(done, total) and goes at the end: `with shown(...) as progress`.

    show: else there is none.
    """
    bars: list[tqdm[None]] = []

    def progress(done: int, total: int) -> None:
        if not bars:
            bars.append(tqdm(desc=what, unit=unit, leave=False, disable=not show))
        bars[0].total = total
        bars[0].update(done - bars[0].n)

    try:
        yield progress
    finally:
        for bar in bars:
            bar.close()
