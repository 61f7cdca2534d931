"""Batches painted one ahead of the step that learns from them.

Painting is many small kernels and some waiting (for JPEG, for what the planning processes send), a step is large
kernels: side by side on one GPU they take about the time of the longer. On a CPU they would only share its cores.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import torch

from .scene import Batch, Ready, Scene, render


def painted(
    scenes: Iterable[list[Scene | Ready]], device: torch.device, ahead: bool | None = None
) -> Generator[Batch, None, None]:
    """A batch for each list of scenes, in order, painted on `device`; an error comes where its batch would.

    ahead: paint the next one while the caller has this one (None: on a GPU). Close the iterator to end early.
    """
    if not (device.type == "cuda" if ahead is None else ahead):
        yield from (render(s, device) for s in scenes)
        return
    lists = iter(scenes)
    side = torch.cuda.Stream(device) if device.type == "cuda" else None

    def paint() -> Batch | None:
        plans = next(lists, None)
        if plans is None:
            return None
        with torch.cuda.stream(side) if side else nullcontext():
            batch = render(plans, device)
        if side:
            side.synchronize()
        return batch

    with ThreadPoolExecutor(1, "painter") as painter:
        coming = painter.submit(paint)
        while (batch := coming.result()) is not None:
            coming = painter.submit(paint)
            if side:  # the allocator is told which other stream uses them
                for tensor in (batch.image, batch.alpha, batch.trust, batch.keep):
                    tensor.record_stream(torch.cuda.current_stream(device))
            yield batch
