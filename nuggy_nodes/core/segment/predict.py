"""From photograph to probability: batches through views and network, in chunks that fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..checks import check_finite, check_image
from ..errors import InputError
from ..network.device import out_of_memory
from ..network.protocol import AnyNetwork, probability
from ..ops.resample import enlarge
from .asking import Asking
from .views import View, fitted, shown

Progress = Callable[[int, int], None]


@dataclass
class Chunk:
    """How many squares go through a network at a time (0: not chosen yet). It is halved when memory runs out; calls
    that share one do not try again what did not fit."""

    size: int = 0


def predict(
    network: AnyNetwork,
    images: Tensor,
    views: Sequence[View] = (View(),),
    how: str = "mean",
    *,
    chunk: int | Chunk = 0,
    progress: Progress | None = None,
) -> Tensor:
    """The probability of subject for a batch of photographs, on the network's own grid.

    A view of a size that the network does not take is shown in the one nearest to it (views.fitted).

    Args:
        network: that is asked.
        images: [B,3,H,W], any device, 0..1.
        views: one or more.
        how: they are combined, consensus.combine.
        chunk: squares that go through the network at a time (0: chosen by device); halved when memory runs out. A Chunk
            remembers that from call to call.
        progress: called with squares done and their number, before the first and after every chunk; an exception it
            raises ends the work.

    Returns:
        [B,1,n,n] float32 on the images' device, n the most cells (a side) in which an answer shows the photograph: of
        IS-Net, half the view's size less the continued border.

    Raises:
        InputError: no photographs, no views, or values that are not finite.
    """
    check_image(images)
    if not views:
        raise InputError("give at least one view")
    views = [fitted(v, network.form) for v in views]
    run = Squares(network, chunk if isinstance(chunk, Chunk) else Chunk(chunk))
    count = Count(progress, len(images) * len(views))
    count.add(0)
    out = []

    def see(part: Tensor, numbers: Sequence[int]) -> dict[int, Tensor]:
        answers: dict[int, Tensor] = {}
        for size in {views[i].size for i in numbers}:
            group = [i for i in numbers if views[i].size == size]
            squares = torch.cat(shown([views[i] for i in group], part))
            for i, answer in zip(group, run(squares, count).split(len(part))):
                answers[i] = views[i].from_square(probability(network, answer))
        return answers

    # on the CPU a batch is no faster than one by one, and one by one a frame's mask cannot depend on its neighbours
    together = 1 if network.device.type == "cpu" else max(run.chunk.size // len(views), 1)
    asking = Asking(views, how, see, count.add)
    for part in images.split(together):
        check_finite(part)
        out.append(asking.masks(part).to(images.device))
    return torch.cat(out)


def run_squares(network: AnyNetwork, squares: Tensor, *, chunk: int = 0, progress: Progress | None = None) -> Tensor:
    """The network's own answer, as its authors' code gives it: the logits enlarged bilinearly, then the sigmoid.

    Args:
        network: that is asked.
        squares: [B,3,n,n], 0..1.
        chunk, progress: as for predict.

    Returns:
        Probabilities [B,1,n,n] float32.
    """
    count = Count(progress, len(squares))
    count.add(0)
    answer = Squares(network, Chunk(chunk))(check_image(squares), count)
    return probability(network, enlarge(answer, squares.shape[-2], squares.shape[-1]))


@dataclass
class Count:
    """Squares done so far, of how many; told as they are done."""

    progress: Progress | None
    total: int
    done: int = 0

    def add(self, squares: int) -> None:
        """Count, and tell the progress, whose exception ends the work.

        Args:
            squares: done since the last call.
        """
        self.done += squares
        if self.progress:
            self.progress(self.done, self.total)


class Squares:
    """Squares through the network in chunks that fit; gives its own answers, on its own grid."""

    def __init__(self, network: AnyNetwork, chunk: Chunk):
        """chunk: chosen here if it is not yet, and halved when memory runs out."""
        self.network, self.chunk = network, chunk
        self.chunk.size = self.chunk.size or (2 if network.device.type == "cpu" else 8)

    def __call__(self, squares: Tensor, count: Count) -> Tensor:
        out, at = [], 0
        while at < len(squares):
            part = squares[at : at + min(self.chunk.size, self.network.form.most or self.chunk.size)]
            try:
                with torch.inference_mode():
                    out.append(self.network.see(part))
            except Exception as e:
                if not out_of_memory(e) or len(part) == 1:
                    raise
                self.chunk.size = len(part) // 2
                continue
            at += len(part)
            count.add(len(part))
        return torch.cat(out)
