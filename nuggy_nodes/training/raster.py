"""Paint pieces of strands with exact antialiased coverage, in torch, so that it runs where the training runs.

The coverage of a pixel is the area that its square shares with the strand, taken as a straight band there: laid across
the band, the square is a trapezoid with sides of |cos| and |sin| of its direction, and the area is the difference of
the trapezoid's integral at the two edges of the band. (benchmarks/thin_canvas.py, which draws the test set, lays a box
of one pixel across instead, whatever the direction.) The ends are round, and approximate by the distance alone. Each
piece is evaluated on a patch of
PATCH x PATCH pixels; where pieces of a lane meet, the largest coverage wins, found by one integer maximum that carries
the piece's number with it. Maxima do not depend on their order, so the result is the same on every run.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from .strands import PIECE, WIDEST, Strokes

PATCH = 16
STEPS = 1 << 24  # coverage is held in this many steps beside the piece's number
CHUNK = 1 << 13  # pieces at a time
assert PIECE / 2 + WIDEST / 2 + 0.5**0.5 <= PATCH / 2 - 1


def paint(strokes: Strokes, height: int, width: int, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """One (coverage [1,H,W], colour [3,H,W]) a lane, values 0..1, float32, in the order in which they lie over."""
    if not strokes.lanes:
        return
    a, b, wa, wb, colour = (
        torch.from_numpy(x).to(device) for x in (strokes.a, strokes.b, strokes.wa, strokes.wb, strokes.colour)
    )
    lane = torch.from_numpy(strokes.lane).to(device)
    best = torch.zeros(strokes.lanes * height * width, dtype=torch.int64, device=device)
    grid = torch.arange(PATCH, device=device)
    for at in range(0, len(a), CHUNK):
        part = slice(at, at + CHUNK)
        start, along = a[part, None, None], (b - a)[part, None, None]
        corner = ((a + b)[part] / 2).floor().long() - (PATCH // 2 - 1)
        x, y = (corner[:, i, None] + grid for i in (0, 1))
        dx, dy = x[:, None, :] - start[..., 0], y[:, :, None] - start[..., 1]
        t = (dx * along[..., 0] + dy * along[..., 1]) / (along * along).sum(-1).clamp(min=1e-9)
        t = t.clamp_(0, 1)
        heading = along.abs() / torch.hypot(along[..., 0], along[..., 1]).clamp(min=1e-6)[..., None]
        sides = heading.amax(-1).clamp(min=0.7), heading.amin(-1).clamp(min=1e-2)
        distance = torch.hypot(dx - t * along[..., 0], dy - t * along[..., 1])
        across = wa[part, None, None] + (wb - wa)[part, None, None] * t
        cover = _area(across / 2 - distance, *sides) - _area(-across / 2 - distance, *sides)
        inside = (x >= 0)[:, None, :] & (x < width)[:, None, :] & (y >= 0)[:, :, None] & (y < height)[:, :, None]
        painted = (cover > 0) & inside
        number = torch.arange(at, at + len(corner), device=device)[:, None, None]
        key = ((cover * STEPS).long() << 32) | number
        place = (lane[part, None, None] * height + y[:, :, None]) * width + x[:, None, :]
        best.scatter_reduce_(0, place[painted], key[painted], "amax")
    for plane in best.view(strokes.lanes, 1, height, width):
        yield (plane >> 32).float() / STEPS, colour[(plane[0] & 0xFFFFFFFF)].permute(2, 0, 1)


def _area(edge: Tensor, long: Tensor, short: Tensor) -> Tensor:
    """The share of a pixel's square, 0..1, on one side of a straight edge at signed distance `edge` from its middle.

    Two boxes, `long` and `short` wide, convolved and integrated: second-order ramps at the trapezoid's four corners.
    """
    half, inner = (long + short) / 2, (long - short) / 2
    edge = edge.clamp(-1, 1)  # beyond, nothing changes, and the ramps lose digits

    def ramp(x: Tensor) -> Tensor:
        return x.clamp(min=0).square()

    total = ramp(edge + half) - ramp(edge + inner) - ramp(edge - inner) + ramp(edge - half)
    return (total / (2 * long * short)).clamp_(0, 1)
