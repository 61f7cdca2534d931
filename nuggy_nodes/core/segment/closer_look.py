"""Closer looks: a photograph through the network again, larger; the parts of a large one at twice its detail, then four
times.

The network sees any photograph squashed to about 1024x1024 and answers on a grid of half that, so on twelve megapixels
a cell is eight pixels wide and strands fall between. Overlapping tiles, half as wide and as high as the photograph, are
shown to it by themselves, and after them tiles of a quarter, in which strands of one pixel are as wide as they are. A
photograph that is not large is shown whole once more, as WHOLE: a step finer than the first views, which see subjects
best, and edges less well than it does.

Larger, or cut out of the whole, it may take another thing for the subject: what a look may change is sharper.py's.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..network.protocol import AnyNetwork
from ..ops.resample import enlarge
from .predict import Chunk, Progress, predict
from .sharper import sharper, undecided
from .views import View

# a look's tiles: their number along a side, their part of it, and the pixels of the longer side from which they show
# more than the look before did
LOOKS = {2: (3, 2, 2048), 3: (5, 4, 3072)}
TILE = 512  # cells of a tile's side
VIEW = View(1024)
WHOLE = (View(1152), View(1152, flip=True))  # a smaller photograph


def squares(height: int, width: int, views: Sequence[View], looks: int) -> int:
    """How many squares a photograph is for the network.

    Args:
        height, width, views, looks: of the photograph; of the first look; 1 to 3.

    Returns:
        Their number, at the most.
    """
    return len(views) + sum(_further(height, width, views, looks).values())


def look(
    network: AnyNetwork, images: Tensor, views: Sequence[View], combine: str = "mean", looks: int = 1, *,
    chunk: int | Chunk = 0, progress: Progress | None = None,
) -> Tensor:  # fmt: skip
    """predict.predict; then, with looks above 1, closer_look at each photograph that is large enough, larger_look at
    each that is not.

    Args:
        network, images, views, combine, chunk: as for predict.predict.
        looks: 1 to 3, how many at the most.
        progress: called with squares done and their number, `squares` of them a photograph.

    Returns:
        [B,1,n,n], 0..1, n as predict has it, 576 after a larger look, 1024 or 2048 after closer ones.
    """
    (height, width), count = images.shape[-2:], len(images)
    total = count * squares(height, width, views, looks)
    report = (lambda done, _: progress(done, total)) if progress else None
    first = predict(network, images, views, combine, chunk=chunk, progress=report)
    shown, masks = count * len(views), []

    def after(start: int, tiles: int) -> Progress | None:
        return (lambda done, of: progress(start + tiles * done // of, total)) if progress else None

    further = _further(height, width, views, looks)
    for image, mask in zip(images.split(1), first.split(1)):
        for n, most in further.items():
            taken = after(shown, most)
            if n == 1:
                mask = larger_look(network, image, mask, chunk=chunk, progress=taken)
            else:
                mask = closer_look(network, image, mask, n, chunk=chunk, progress=taken)
            if taken:  # not all that was counted has to be asked
                taken(1, 1)
            shown += most
        masks.append(mask)
    return torch.cat(masks)


def larger_look(
    network: AnyNetwork, image: Tensor, before: Tensor, *,
    chunk: int | Chunk = 0, progress: Progress | None = None,
) -> Tensor:  # fmt: skip
    """A photograph looked at as WHOLE; another network than the one that this was measured with is not asked.

    Args:
        network, chunk, progress: as for predict.predict.
        image: one photograph [1,3,H,W].
        before: its mask [1,1,n,n] from the first look, 0..1.

    Returns:
        The mask on the finer grid of the two, [1,1,m,m]: `before`, but for places near its undecided ones.
    """
    if not network.form.measured:
        return before
    grid = max(before.shape[-1], WHOLE[0].size // 2)
    before = enlarge(before.float(), grid, grid)
    near = undecided(before)
    if not bool(near.any()):
        return before
    seen = predict(network, image, WHOLE, chunk=chunk, progress=progress)
    return sharper(enlarge(seen, grid, grid), before, near)


def closer_look(
    network: AnyNetwork, image: Tensor, before: Tensor, which: int = 2, *,
    chunk: int | Chunk = 0, progress: Progress | None = None,
) -> Tensor:  # fmt: skip
    """A photograph looked at in tiles.

    Args:
        network, chunk, progress: as for predict.predict.
        image: one photograph [1,3,H,W].
        before: its mask [1,1,n,n] from the looks before, 0..1.
        which: 2 or 3.

    Returns:
        The mask on a grid of [1,1,m,m], m 1024 or 2048: `before`, but for places near its undecided ones.
    """
    along, part, _ = LOOKS[which]
    grid = part * TILE
    before = enlarge(before.float(), grid, grid)
    near = undecided(before)
    starts = [i * (grid - TILE) // (along - 1) for i in range(along)]
    corners = [(y, x) for y in starts for x in starts]
    unsure = torch.stack([near[_cells(*c)].amax() > 0 for c in corners]).tolist()  # the device is waited for once
    wanted = [c for c, some in zip(corners, unsure) if some]
    if progress:
        progress(0, max(len(wanted), 1))
    height, width = image.shape[-2:]
    window = torch.hann_window(TILE + 2, periodic=False, device=before.device)[1:-1] + 1e-3
    weight = window[:, None] * window
    answers, shown = torch.zeros_like(before), torch.zeros_like(before)
    for done, (y, x) in enumerate(wanted):
        top, left = y * height // grid, x * width // grid
        tile = image[..., top : top + height // part, left : left + width // part]
        answers[_cells(y, x)] += weight * enlarge(predict(network, tile, (VIEW,), chunk=chunk), TILE, TILE)
        shown[_cells(y, x)] += weight
        if progress:
            progress(done + 1, len(wanted))
    seen = torch.where(shown > 0, answers / shown.clamp(min=1e-9), before)
    return sharper(seen, before, near)


def _further(height: int, width: int, views: Sequence[View], looks: int) -> dict[int, int]:
    """The looks after the first, by number, that are taken at a photograph of this size: 2 and 3 in tiles, 1 the whole
    of it again; and how many squares each is at the most."""
    closer = {n: along**2 for n, (along, _, large) in LOOKS.items() if n <= looks and max(height, width) >= large}
    finer = all(v.size - 2 * v.margin < WHOLE[0].size for v in views)
    return closer or ({1: len(WHOLE)} if looks > 1 and finer else {})


def _cells(y: int, x: int) -> tuple[slice, ...]:
    """Where the answer's grid shows the tile that starts at row y and column x."""
    return (slice(None), slice(None), slice(y, y + TILE), slice(x, x + TILE))
