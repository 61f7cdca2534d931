"""A second look: parts of a large photograph through the network again, at twice the detail.

The network sees any photograph squashed to about 1024x1024 and answers on a grid of half that, so on twelve megapixels
a cell is eight pixels wide and strands fall between. Nine tiles, each half as wide and as high as the photograph and
overlapping by half, are shown to it by themselves. A tile lacks the whole: it may take another thing for the subject.
So its answer counts only near places that the first look left undecided, and only as far as the tile agrees with the
first look where that was sure.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .guided import enlarge
from .predict import Chunk, Progress, View, predict
from .weights import Network

LARGE = 2048  # pixels of the longer side from which a tile at 1024 shows more than the whole did
GRID = 1024  # cells of the answer's side
TILE = GRID // 2
TILES = 9
VIEW = View(1024)
SURE = 0.05  # alpha this close to 0 or 1 is decided
NEAR = 24  # cells around an undecided one in which the second look counts
ENOUGH = 500  # sure cells that a tile needs before it is held against them


def squares(height: int, width: int, views: Sequence[View], looks: int) -> int:
    """How many squares a photograph of this size is for the network, at the most."""
    return len(views) + (TILES if looks > 1 and max(height, width) >= LARGE else 0)


def look(
    network: Network,
    images: Tensor,
    views: Sequence[View],
    how: str = "mean",
    looks: int = 1,
    *,
    chunk: int | Chunk = 0,
    progress: Progress | None = None,
) -> Tensor:
    """predict.predict on photographs [B,3,H,W]; then, where looks is 2 and they are LARGE, second_look at each.

    The other arguments are predict's. progress(done, total) counts squares, `squares` of them a photograph.
    """
    (height, width), count = images.shape[-2:], len(images)
    total = count * squares(height, width, views, looks)
    report = (lambda done, _: progress(done, total)) if progress else None
    first = predict(network, images, views, how, chunk=chunk, progress=report)
    if total == count * len(views):
        return first

    def after(i: int) -> Progress | None:
        start = count * len(views) + i * TILES
        return (lambda done, of: progress(start + TILES * done // of, total)) if progress else None

    pairs = zip(images.split(1), first.split(1))
    return torch.cat([second_look(network, *p, chunk=chunk, progress=after(i)) for i, p in enumerate(pairs)])


def second_look(
    network: Network, image: Tensor, first: Tensor, *, chunk: int | Chunk = 0, progress: Progress | None = None
) -> Tensor:
    """image: one photograph [1,3,H,W]. first: its mask [1,1,n,n] from the first look, 0..1. chunk, progress: as in
    predict.predict. Returns the mask on a grid of [1,1,GRID,GRID]: `first`, but for places near its undecided ones."""
    first = enlarge(first.float(), GRID, GRID)
    undecided = ((first > SURE) & (first < 1 - SURE)).float()
    near = F.avg_pool2d(F.max_pool2d(undecided, 2 * NEAR + 1, 1, NEAR), 9, 1, 4, count_include_pad=False)
    corners = [(y, x) for y in (0, 1, 2) for x in (0, 1, 2)]
    wanted = [c for c in corners if bool((near[_cells(*c)] > 0).any())]
    if progress:
        progress(0, max(len(wanted), 1))
    height, width = image.shape[-2:]
    window = torch.hann_window(TILE + 2, periodic=False, device=first.device)[1:-1] + 1e-3
    weight = window[:, None] * window
    answers, trusted, shown = torch.zeros_like(first), torch.zeros_like(first), torch.zeros_like(first)
    for done, (y, x) in enumerate(wanted):
        top, left = y * height // 4, x * width // 4
        part = image[..., top : top + height // 2, left : left + width // 2]
        answer = enlarge(predict(network, part, (VIEW,), chunk=chunk), TILE, TILE)
        cells = _cells(y, x)
        trust = _trust(answer, first[cells]) * weight
        answers[cells] += trust * answer
        trusted[cells] += trust
        shown[cells] += weight
        if progress:
            progress(done + 1, len(wanted))
    counts = near * (4 * trusted / shown.clamp(min=1e-9)).clamp(max=1)
    return torch.lerp(first, answers / trusted.clamp(min=1e-9), counts)


def _cells(y: int, x: int) -> tuple[slice, ...]:
    """Where the answer's grid shows the tile of row y and column x, 0 to 2."""
    step = TILE // 2
    return (slice(None), slice(None), slice(y * step, y * step + TILE), slice(x * step, x * step + TILE))


def _trust(answer: Tensor, first: Tensor) -> Tensor:
    """1 where the tile's answer is as the first look where that was sure, 0 from an average difference of 0.3."""
    worst = answer.new_zeros(())
    for sure in (first > 1 - SURE, first < SURE):
        count = sure.sum()
        wrong = ((answer - first).abs() * sure).sum() / count.clamp(min=1)
        worst = torch.maximum(worst, torch.where(count > ENOUGH, wrong, torch.zeros_like(wrong)))
    return (1.5 - 5 * worst).clamp(0, 1)
