"""Batches painted ahead of the step that learns from them.

Painting is many small kernels and some waiting (for JPEG, for what the planning processes send), a step is large
kernels: side by side on one GPU they take about the time of the longer. On a CPU they would only share its cores.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext

import torch

from .scene import Batch, Ready, Scene, render

PAINTERS = 3  # threads, each with a stream: one waits while another launches


def painted(
    scenes: Iterable[list[Scene | Ready]], device: torch.device, ahead: bool | None = None
) -> Generator[Batch, None, None]:
    """A batch for each list of scenes, in order, painted on `device`; an error comes where its batch would.

    ahead: paint the next ones while the caller has this one (None: on a GPU). Close the iterator to end early.
    """
    if not (device.type == "cuda" if ahead is None else ahead):
        yield from (render(s, device) for s in scenes)
        return
    lists, own = iter(scenes), threading.local()

    def start() -> None:  # memory is kept for each stream: one a thread, not one a batch
        own.side = torch.cuda.Stream(device) if device.type == "cuda" else None

    def paint(plans: list[Scene | Ready]) -> Batch:
        side = own.side
        with torch.cuda.stream(side) if side else nullcontext():
            batch = render(plans, device)
        if side:
            side.synchronize()
        return batch

    with ThreadPoolExecutor(PAINTERS, "painter", start) as pool:
        coming: deque[Future[Batch]] = deque()

        def ask() -> bool:
            try:
                coming.append(pool.submit(paint, next(lists)))
            except StopIteration:
                return False
            except Exception as e:  # told in its turn, after the batches before it
                coming.append(Future())
                coming[-1].set_exception(e)
                return False
            return True

        more = all(ask() for _ in range(PAINTERS))
        while coming:
            batch = coming.popleft().result()
            more = more and ask()
            if device.type == "cuda":  # the allocator is told which other stream uses them
                for tensor in (batch.image, batch.alpha, batch.trust, batch.keep):
                    tensor.record_stream(torch.cuda.current_stream(device))
            yield batch
