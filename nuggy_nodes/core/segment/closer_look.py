"""Closer looks: parts of a large photograph through the network again, at twice the detail, then at four times.

The network sees any photograph squashed to about 1024x1024 and answers on a grid of half that, so on twelve megapixels
a cell is eight pixels wide and strands fall between. Overlapping tiles, half as wide and as high as the photograph, are
shown to it by themselves, and after them tiles of a quarter, in which strands of one pixel are as wide as they are. A
tile lacks the whole: it may take another thing for the subject. So its answer counts only near places that the looks
before left undecided, and only as far as the tile agrees with them where they were sure; the smallest tiles only add.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..network.weights import Network
from ..ops.resample import enlarge
from .predict import Chunk, Progress, predict
from .views import View

# a look's tiles: their number along a side, their part of it, and the pixels of the longer side from which they show
# more than the look before did
LOOKS = {2: (3, 2, 2048), 3: (5, 4, 3072)}
TILE = 512  # cells of a tile's side
VIEW = View(1024)
SURE = 0.05  # alpha this close to 0 or 1 is decided
NEAR = 24  # cells around an undecided one in which a tile counts
ENOUGH = 500  # sure cells that a tile needs before it is held against them


def squares(height: int, width: int, views: Sequence[View], looks: int) -> int:
    """How many squares a photograph of this size is for the network, at the most."""
    return len(views) + sum(LOOKS[n][0] ** 2 for n in _closer(height, width, looks))


def look(
    network: Network,
    images: Tensor,
    views: Sequence[View],
    combine: str = "mean",
    looks: int = 1,
    *,
    chunk: int | Chunk = 0,
    progress: Progress | None = None,
) -> Tensor:
    """predict.predict on photographs [B,3,H,W]; then, up to `looks` (1 to 3), closer_look at each that is large enough.

    The other arguments are predict's. progress(done, total) counts squares, `squares` of them a photograph. Returns
    [B,1,n,n], 0..1, n as predict has it, or 1024 or 2048 after a closer look.
    """
    (height, width), count = images.shape[-2:], len(images)
    total = count * squares(height, width, views, looks)
    report = (lambda done, _: progress(done, total)) if progress else None
    first = predict(network, images, views, combine, chunk=chunk, progress=report)
    shown, masks = count * len(views), []

    def after(start: int, tiles: int) -> Progress | None:
        return (lambda done, of: progress(start + tiles * done // of, total)) if progress else None

    for image, mask in zip(images.split(1), first.split(1)):
        for n in _closer(height, width, looks):
            tiles = LOOKS[n][0] ** 2
            mask = closer_look(network, image, mask, n, chunk=chunk, progress=after(shown, tiles))
            shown += tiles
        masks.append(mask)
    return torch.cat(masks)


def closer_look(
    network: Network,
    image: Tensor,
    before: Tensor,
    which: int = 2,
    *,
    chunk: int | Chunk = 0,
    progress: Progress | None = None,
) -> Tensor:
    """image: one photograph [1,3,H,W]. before: its mask [1,1,n,n] from the looks before, 0..1. which: 2 or 3. chunk,
    progress: as in predict.predict. Returns the mask on a grid of [1,1,m,m], m 1024 or 2048: `before`, but for places
    near its undecided ones."""
    along, part, _ = LOOKS[which]
    grid = part * TILE
    before = enlarge(before.float(), grid, grid)
    undecided = ((before > SURE) & (before < 1 - SURE)).float()
    near = F.avg_pool2d(F.max_pool2d(undecided, 2 * NEAR + 1, 1, NEAR), 9, 1, 4, count_include_pad=False)
    starts = [i * (grid - TILE) // (along - 1) for i in range(along)]
    corners = [(y, x) for y in starts for x in starts]
    unsure = torch.stack([near[_cells(*c)].amax() > 0 for c in corners]).tolist()  # the device is waited for once
    wanted = [c for c, some in zip(corners, unsure) if some]
    if progress:
        progress(0, max(len(wanted), 1))
    height, width = image.shape[-2:]
    window = torch.hann_window(TILE + 2, periodic=False, device=before.device)[1:-1] + 1e-3
    weight = window[:, None] * window
    answers, trusted, shown = torch.zeros_like(before), torch.zeros_like(before), torch.zeros_like(before)
    for done, (y, x) in enumerate(wanted):
        top, left = y * height // grid, x * width // grid
        tile = image[..., top : top + height // part, left : left + width // part]
        answer = enlarge(predict(network, tile, (VIEW,), chunk=chunk), TILE, TILE)
        cells = _cells(y, x)
        trust = _trust(answer, before[cells]) * weight
        answers[cells] += trust * answer
        trusted[cells] += trust
        shown[cells] += weight
        if progress:
            progress(done + 1, len(wanted))
    counts = near * (4 * trusted / shown.clamp(min=1e-9)).clamp(max=1)
    found = torch.lerp(before, answers / trusted.clamp(min=1e-9), counts)
    return torch.maximum(found, before) if which > 2 else found  # a quarter of a thing is missed more often than seen


def _closer(height: int, width: int, looks: int) -> list[int]:
    """The closer looks that are taken at a photograph of this size."""
    return [n for n, (_, _, large) in LOOKS.items() if n <= looks and max(height, width) >= large]


def _cells(y: int, x: int) -> tuple[slice, ...]:
    """Where the answer's grid shows the tile that starts at row y and column x."""
    return (slice(None), slice(None), slice(y, y + TILE), slice(x, x + TILE))


def _trust(answer: Tensor, before: Tensor) -> Tensor:
    """1 where the tile's answer is as the looks before were where those were sure, 0 from a mean difference of 0.3."""
    worst = answer.new_zeros(())
    for sure in (before > 1 - SURE, before < SURE):
        count = sure.sum()
        wrong = ((answer - before).abs() * sure).sum() / count.clamp(min=1)
        worst = torch.maximum(worst, torch.where(count > ENOUGH, wrong, torch.zeros_like(wrong)))
    return (1.5 - 5 * worst).clamp(0, 1)
