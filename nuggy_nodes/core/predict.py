"""From photograph to probability: geometry, views (test-time augmentation), chunks.

One object, `View`, owns the way of a photograph into the network's square and the way of the answer back; everything
else here moves batches through it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from . import cudagraph
from .checks import check_finite, check_image
from .consensus import combine
from .errors import InputError
from .guided import enlarge
from .isnet import STRIDE
from .resample import resample
from .weights import Network

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class View:
    """One way of showing a photograph to the network.

    The photograph is squashed to an inner square, its border continued outward by `margin` pixels on every side up to
    `size`, and mirrored if `flip`. size: a multiple of 32, 256..4096; pad: the share of the photograph's side that is
    added on each side (0..1), rounded so that the margin is a whole number of cells of the answer and can be cut off
    again exactly.
    """

    size: int = 1024
    flip: bool = False
    pad: float = 0.0

    def __post_init__(self) -> None:
        if self.size % STRIDE or not 256 <= self.size <= 4096:
            raise InputError(f"a view's size is a multiple of {STRIDE} from 256 to 4096; got {self.size}")
        if not 0 <= self.pad <= 1:
            raise InputError(f"a view's pad is a share of the photograph's side, 0 to 1; got {self.pad}")

    @property
    def margin(self) -> int:
        """Pixels of the square on each side that show the continued border; even."""
        return 2 * round(self.size * self.pad / (1 + 2 * self.pad) / 2)

    def to_square(self, image: Tensor) -> Tensor:
        """[B,3,H,W] to [B,3,size,size] float32, antialiased bilinear."""
        inner = self.size - 2 * self.margin
        x = resample(image.float(), (inner, inner))
        if self.margin:
            x = F.pad(x, (self.margin,) * 4, mode="replicate")
        return x.flip(-1) if self.flip else x

    def from_square(self, answer: Tensor) -> Tensor:
        """The answer [B,C,n,n] on the network's grid back to the photograph's frame [B,C,m,m]: unflipped, uncropped."""
        if self.flip:
            answer = answer.flip(-1)
        cut = self.margin * answer.shape[-1] // self.size
        return answer[..., cut : answer.shape[-2] - cut, cut : answer.shape[-1] - cut] if cut else answer

    def __str__(self) -> str:
        return f"{self.size}{'f' if self.flip else ''}{f'p{round(self.pad * 100)}' if self.pad else ''}"


PAIR = (View(), View(flip=True))


def parse_view(text: str) -> View:
    """'1024', '640f' (flipped), '1024p15' (border continued by 15 %), '768fp15': the inverse of str(View)."""
    import re

    found = re.fullmatch(r"(\d+)(f?)(?:p(\d+))?", text.strip())
    if not found:
        raise InputError(f"a view is written SIZE[f][pPERCENT], for example 1024, 1024f or 768fp15; got {text!r}")
    return View(int(found[1]), bool(found[2]), int(found[3] or 0) / 100)


def choose_device(name: str = "auto") -> torch.device:
    """'auto': CUDA (or ROCm), then Apple's MPS, then the CPU; or a torch device by name. Raises InputError."""
    if name != "auto":
        try:
            device = torch.device(name)
            torch.empty(1, device=device)
        except (RuntimeError, AssertionError, NotImplementedError) as e:
            raise InputError(f"device {name!r} cannot be used here: {str(e).splitlines()[0]}") from e
        return device
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


@dataclass
class Chunk:
    """How many squares go through a network at a time (0: not chosen yet). It is halved when memory runs out; calls
    that share one do not try again what did not fit."""

    size: int = 0


def predict(
    network: Network,
    images: Tensor,
    views: Sequence[View] = (View(),),
    how: str = "mean",
    *,
    chunk: int | Chunk = 0,
    progress: Progress | None = None,
) -> Tensor:
    """The probability of subject for a batch of photographs, on the network's own grid.

    images: [B,3,H,W], any device, values 0..1. views: one or more; how they are combined: consensus.combine.
    chunk: squares that go through the network at a time (0: chosen by device); halved when memory runs out. A Chunk
    remembers that from call to call.
    progress(done, total), in squares, is called before the first and after every chunk; an exception it raises ends
    the work. Returns [B,1,n,n] float32 on the images' device, n half of the most pixels (a side) in which a view shows
    the photograph: its size, less the continued border.
    """
    check_image(images)
    if not views:
        raise InputError("give at least one view")
    grid = max((v.size - 2 * v.margin) // 2 for v in views)
    runner = _Runner(network, chunk, progress, len(images) * len(views))
    out = []
    # on the CPU a batch is no faster than one by one, and one by one a frame's mask cannot depend on its neighbours
    together = 1 if runner.device.type == "cpu" else max(runner.chunk.size // len(views), 1)
    for part in images.split(together):
        check_finite(part)
        answers: dict[int, Tensor] = {}
        for size in {v.size for v in views}:
            group = [i for i, v in enumerate(views) if v.size == size]
            squares = torch.cat([views[i].to_square(part) for i in group])
            for i, answer in zip(group, runner(squares).split(len(part))):
                answers[i] = enlarge(views[i].from_square(answer.sigmoid()), grid, grid)
        stack = torch.stack([answers[i] for i in range(len(views))])
        sizes, padded = [v.size - 2 * v.margin for v in views], [v.margin > 0 for v in views]
        out.append(combine(stack, how, sizes, padded).to(images.device))
    return torch.cat(out)


def run_squares(network: Network, squares: Tensor, *, chunk: int = 0, progress: Progress | None = None) -> Tensor:
    """The network's own answer, as its authors' code gives it: the logits enlarged bilinearly, then the sigmoid.

    squares: [B,3,n,n], values 0..1. Returns probabilities [B,1,n,n] float32.
    """
    logits = _Runner(network, chunk, progress, len(squares))(check_image(squares))
    return enlarge(logits, squares.shape[-2], squares.shape[-1]).sigmoid_()


class _Runner:
    """Squares through the network in chunks that fit; gives logits on its own grid."""

    def __init__(self, network: Network, chunk: int | Chunk, progress: Progress | None, total: int):
        self.model, self.info = network.model, network.info
        weight = next(self.model.parameters())
        self.device, self.dtype = weight.device, weight.dtype
        self.chunk = chunk if isinstance(chunk, Chunk) else Chunk(chunk)
        self.chunk.size = self.chunk.size or (2 if self.device.type == "cpu" else 8)
        self.mean, self.std = (torch.tensor(v).view(1, 3, 1, 1) for v in (self.info.mean, self.info.std))
        self.progress, self.done, self.total = progress, 0, total
        if progress:
            progress(0, total)

    def __call__(self, squares: Tensor) -> Tensor:
        out, at = [], 0
        while at < len(squares):
            part = squares[at : at + self.chunk.size]
            try:
                out.append(self._forward(part))
            except Exception as e:
                if not out_of_memory(e) or len(part) == 1:
                    raise
                self.chunk.size = len(part) // 2
                continue
            at += len(part)
            self.done += len(part)
            if self.progress:
                self.progress(self.done, self.total)
        return torch.cat(out)

    @torch.inference_mode()
    def _forward(self, squares: Tensor) -> Tensor:
        if self.mean.device != squares.device:
            self.mean, self.std = self.mean.to(squares.device), self.std.to(squares.device)
        x = ((squares - self.mean) / self.std).to(self.device, self.dtype, memory_format=torch.channels_last)
        return cudagraph.run(self.model, x).float()


def out_of_memory(e: BaseException) -> bool:
    """Whether an exception of torch's says that memory ran out, on any device."""
    return isinstance(e, torch.cuda.OutOfMemoryError) or (
        isinstance(e, RuntimeError) and ("out of memory" in str(e) or "not enough memory" in str(e))
    )
