"""Progress bars on standard error, with the time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def shown(what: str, unit: str, show: bool = True) -> Iterator[Callable[[int, int], None]]:
    """A bar that goes when it is done: `with shown(...) as progress`, then progress(done, total). show: else none."""
    with tqdm(desc=what, unit=unit, leave=False, disable=not show) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress
