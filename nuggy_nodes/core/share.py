"""A picture's windows shared out among threads.

On a CPU, torch splits one operation of 32768 values or more over its threads and waits for all of them, again for the
next operation. Where a picture can be worked on in small windows, whole windows are shared out instead: each thread
goes through its own without waiting, and a window's tensors stay in its core's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

Window = tuple[int, int, int, int]  # top, bottom, left, right
Each = Callable[[Callable[[Window], None], Iterable[Window]], None]
FEW = 4  # windows that are not worth a second thread


@contextmanager
def sharing(device: torch.device) -> Iterator[Each]:
    """Gives each(work, windows): calls work(window) for all of them and returns when all are done.

    On a CPU up to torch.get_num_threads() threads work, so `work` may write only where no other window's does;
    elsewhere the windows take turns. An exception of `work` is raised by `each`.
    """
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:

        def each(work: Callable[[Window], None], windows: Iterable[Window]) -> None:
            todo = list(windows)
            threads = torch.get_num_threads() if device.type == "cpu" and len(todo) >= FEW else 1
            inference = torch.is_inference_mode_enabled()  # a thread has its own; without it, writing would be refused

            def share(first: int) -> None:
                with torch.inference_mode(inference):
                    for window in todo[first::threads]:
                        work(window)

            others = [pool.submit(share, first) for first in range(1, threads)]
            share(0)
            for other in others:
                other.result()

        yield each


def squares(height: int, width: int, side: int) -> Iterator[Window]:
    """The picture cut into squares of `side`, smaller at the right and lower border."""
    for top in range(0, height, side):
        for left in range(0, width, side):
            yield top, min(top + side, height), left, min(left + side, width)
