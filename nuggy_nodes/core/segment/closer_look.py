"""Closer looks: parts of a large photograph through the network again, at twice the detail, then at four times.

The network sees any photograph squashed to about 1024x1024 and answers on a grid of half that, so on twelve megapixels
a cell is eight pixels wide and strands fall between. Overlapping tiles, half as wide and as high as the photograph, are
shown to it by themselves, and after them tiles of a quarter, in which strands of one pixel are as wide as they are.

A tile lacks the whole: it may take another thing for the subject. So a look may sharpen, and nothing else:
- it counts only within NEAR cells of a cell that the looks before left undecided;
- there it counts as far as it agrees with them on what they were sure of in the surroundings (`agreement`), whatever
  the rest of the tile says;
- it makes no body of what was faint and no hole in what was all but sure (`sharpened`);
- what it brings must touch what was there: a piece that floats free goes back to what it was (`attached`).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..network.protocol import AnyNetwork
from ..ops.box_filter import box_mean
from ..ops.connected_components import AT_HOME, components
from ..ops.morphology import largest, opening
from ..ops.resample import enlarge
from .predict import Chunk, Progress, predict
from .views import View

# a look's tiles: their number along a side, their part of it, and the pixels of the longer side from which they show
# more than the look before did
LOOKS = {2: (3, 2, 2048), 3: (5, 4, 3072)}
TILE = 512  # cells of a tile's side
VIEW = View(1024)
SURE = 0.05  # alpha this close to 0 or 1 is decided
NEAR = 12  # cells around an undecided one in which a look counts
AROUND = 48  # cells: the surroundings in which a look must agree
WRONG = (0.1, 0.3)  # mean difference from what was sure: up to the first it is believed, from the second it is not
BODY = 0.5  # alpha from which a cell belongs to a piece
WIDE = 1 / 128  # of the grid's side: what an opening of this radius keeps is no edge (as in consensus)
FAINT = (0.2, 0.45)  # alpha: up to the first a wide area is not raised, from the second it is; mirrored for lowering


def squares(height: int, width: int, views: Sequence[View], looks: int) -> int:
    """How many squares a photograph is for the network.

    Args:
        height, width, views, looks: of the photograph; of the first look; 1 to 3.

    Returns:
        Their number, at the most.
    """
    return len(views) + sum(LOOKS[n][0] ** 2 for n in _closer(height, width, looks))


def look(
    network: AnyNetwork, images: Tensor, views: Sequence[View], combine: str = "mean", looks: int = 1, *,
    chunk: int | Chunk = 0, progress: Progress | None = None,
) -> Tensor:  # fmt: skip
    """predict.predict; then closer_look at each photograph that is large enough.

    Args:
        network, images, views, combine, chunk: as for predict.predict.
        looks: 1 to 3, how many at the most.
        progress: called with squares done and their number, `squares` of them a photograph.

    Returns:
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
    undecided = ((before > SURE) & (before < 1 - SURE)).float()
    near = largest(undecided, NEAR)
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
    edge = F.avg_pool2d(near, 9, 1, 4, count_include_pad=False) * near
    found = torch.lerp(before, seen, edge * agreement(seen, before))
    return attached(sharpened(found, before), before)


def agreement(seen: Tensor, before: Tensor) -> Tensor:
    """How far a look agrees with the looks before on what they were sure of, around each cell.

    Args:
        seen, before: masks [1,1,n,n], 0..1.

    Returns:
        0..1, same shape: the mean difference over sure cells within AROUND cells, subject and background apart and the
        worse of the two, on the scale WRONG. Where nothing around was sure, it is believed.
    """
    trust = torch.ones_like(before)
    for sure in (before > 1 - SURE, before < SURE):
        count = box_mean(sure.float(), AROUND)
        wrong = box_mean((seen - before).abs() * sure, AROUND) / count.clamp(min=1e-4)
        trust = torch.minimum(trust, ((WRONG[1] - wrong) / (WRONG[1] - WRONG[0])).clamp(0, 1))
    return trust


def sharpened(found: Tensor, before: Tensor) -> Tensor:
    """`found`, but wide areas of `before` that were faint (FAINT) are not raised, and wide ones as near to sure are not
    lowered: a second flower stays as faint, a tyre as solid, as the whole photograph had it.

    Args:
        found, before: masks [1,1,n,n], 0..1.

    Returns:
        0..1, same shape.
    """
    radius, (low, high) = max(round(WIDE * found.shape[-1]), 1), FAINT
    raised, lowered = (found - before).clamp(min=0), (before - found).clamp(min=0)
    raised = raised - opening(raised, radius) * ((high - before) / (high - low)).clamp(0, 1)
    lowered = lowered - opening(lowered, radius) * ((before - 1 + high) / (high - low)).clamp(0, 1)
    return (before + raised - lowered).clamp(0, 1)


def attached(found: Tensor, before: Tensor) -> Tensor:
    """`found`, but pieces of it (8-connected, above BODY) that touch nothing of `before` above BODY are as they were.

    Args:
        found, before: masks [1,1,n,n], 0..1.

    Returns:
        0..1, same shape.
    """
    if found.device.type not in AT_HOME:
        return attached(found.cpu(), before.cpu()).to(found.device)
    body = found[0, 0] > BODY
    parts = components(body, 8)
    if not parts.count:
        return found
    held = parts.touched(body & (before[0, 0] > BODY))
    loose = torch.zeros_like(body)
    loose.view(-1)[parts.pixels(~held)] = True
    loose = largest(loose[None, None].float(), 2) > 0  # with its soft rim
    return torch.where(loose, torch.minimum(found, before), found)


def _closer(height: int, width: int, looks: int) -> list[int]:
    """The closer looks that are taken at a photograph of this size."""
    return [n for n, (_, _, large) in LOOKS.items() if n <= looks and max(height, width) >= large]


def _cells(y: int, x: int) -> tuple[slice, ...]:
    """Where the answer's grid shows the tile that starts at row y and column x."""
    return (slice(None), slice(None), slice(y, y + TILE), slice(x, x + TILE))
