"""A picture's windows shared out among threads.

On a CPU, torch splits one large operation over its threads and waits for all of them, again for the next operation.
Where a picture can be worked on in many windows, whole windows are shared out instead: each thread goes through its
own, and waits once. A window is small enough for its tensors to stay near its core, and large enough for its operations
to cost more than starting them does. For few windows torch's way is the better one: there Python's threads would wait
for each other's turn in the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

Window = tuple[int, int, int, int]  # top, bottom, left, right
Each = Callable[[Callable[[Window], None], Iterable[Window]], None]
FEW = 16  # windows; a 1024x1024 picture has as many tiles
CPU_TILE, DEVICE_TILE = 256, 2048  # pixels; multiples of unsure.CELL and of fill.FIRST


@contextmanager
def sharing(device: torch.device) -> Iterator[Each]:
    """Gives each(work, windows): calls work(window) for all of them and returns when all are done.

    On a CPU up to torch.get_num_threads() threads work, so `work` may write only where no other window's does;
    elsewhere the windows take turns. An exception of `work` is raised by `each`.
    """
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:

        def each(work: Callable[[Window], None], windows: Iterable[Window]) -> None:
            todo = list(windows)
            threads = torch.get_num_threads() if device.type == "cpu" and len(todo) > FEW else 1
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


def tile_side(device: torch.device, step: int = 1) -> int:
    """The side of tiles on a device, a multiple of `step`."""
    return max((CPU_TILE if device.type == "cpu" else DEVICE_TILE) // step, 1) * step


def tiles(height: int, width: int, device: torch.device) -> Iterator[Window]:
    """The tiles in which a whole picture is gone through."""
    return squares(height, width, tile_side(device))


def squares(height: int, width: int, side: int) -> Iterator[Window]:
    """The picture cut into squares of `side`, smaller at the right and lower border."""
    for top in range(0, height, side):
        for left in range(0, width, side):
            yield top, min(top + side, height), left, min(left + side, width)
