"""What strokes say of a mask: where it errs, spread from the strokes along likeness.

The mask's error e = truth - mask is known under the strokes. Elsewhere it is what kernel ridge regression (Gaussian
process regression; Rasmussen and Williams, 2006, equation 2.25) makes of it, over what a pixel looks like: its colour,
its place, and what the mask says of it. Besides the strokes, a lattice of pixels is given the error 0: the mask is
right there, with some doubt, and with exponentially more the more a pixel looks like a stroke against the mask. So a
stroke spreads over its like and stops where what looks otherwise begins. It spreads as far as it is long: a short one
is for a small fault, a long one for a large one. How far is told along the photograph: a way across an edge is as much
longer as its colours differ (ops.geodesic), so what looks alike beyond an edge stays. Of what would change sides, only
regions that a stroke against the mask touches are taken.

Everything runs on a grid of GRID cells along the longer side, whatever the photograph's size.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..ops.connected_components import components
from ..ops.geodesic import geodesic
from ..ops.resample import enlarge, resample

GRID = 224
COLOUR, PLACE, OPINION = 2.14, 0.71, 0.71  # scales of what is compared, over the kernel's width
REACH = 1.0  # of a stroke's length
PATHS = 112  # cells along the longer side on which ways are told
CONTRAST = 6.0  # of those cells, for a difference of colour of 1
SHORTEST = 0.02  # of the longer side: a point reaches as far as a stroke of this length
LATTICE = 250  # pixels at which the mask is believed
STROKE = 60  # pixels of all strokes that are asked, at the most
CERTAIN, BELIEF, LIKE = 0.02, 0.3, 8.0  # variance under a stroke, of the mask; its growth with likeness (an exponent)
AGAINST = 0.4  # a stroke that differs from the mask by this says something new


def spread(image: Tensor, mask: Tensor, keep: Tensor | None, drop: Tensor | None) -> tuple[Tensor, Tensor]:
    """Where the strokes change the mask of one photograph.

    Args:
        image: [1,3,H,W], 0..1.
        mask: [1,1,H,W], 0..1.
        keep, drop: [1,1,H,W], 0 or 1, or None.

    Returns:
        What becomes subject and what becomes background, each [1,1,h,w], 0 or 1, on the grid. All zeros where no
        stroke says anything that the mask does not.
    """
    height, width = image.shape[-2:]
    scale = min(GRID / max(height, width), 1.0)
    size = (max(round(height * scale), 1), max(round(width * scale), 1))
    device = image.device
    small = resample(image.float(), size)[0].cpu()
    p = resample(mask.float(), size)[0, 0].clamp(0, 1).cpu()
    marks = [_shrunk(plane, size) for plane in (keep, drop)]
    marks[1] &= ~marks[0]
    new = [_against(small, m, p, value) for m, value in zip(marks, (1.0, 0.0))]
    changes = torch.zeros(2, *size)
    if new[0][0].any() or new[1][0].any():
        error = _error(small, p, marks)
        for side, (stroke, reach) in enumerate(new):
            toward = error if side == 0 else -error
            crosses = (p < 0.5) & (p + toward * reach > 0.5) if side == 0 else (p >= 0.5) & (p - toward * reach < 0.5)
            changes[side] = _touched(crosses | stroke, stroke).float()
    changes = changes.to(device)
    return changes[0][None, None], changes[1][None, None]


def _shrunk(plane: Tensor | None, size: tuple[int, int]) -> Tensor:
    """A plane of marks on the grid, bool [h,w]: a cell is marked if a fair part of it is, and none is lost whole."""
    if plane is None:
        return torch.zeros(size, dtype=torch.bool)
    share = resample(plane.float(), size)[0, 0].cpu()
    marked = share > 0.4
    if not bool(marked.any()):
        marked = share >= share.amax() * 0.999
    return marked


def _against(image: Tensor, marks: Tensor, p: Tensor, value: float) -> tuple[Tensor, Tensor]:
    """The strokes that say something new, bool [h,w], and how far a pixel is in their reach, 0..1 [h,w]."""
    told, reach = torch.zeros_like(marks), torch.zeros_like(p)
    parts = components(marks, 8)
    scale = min(PATHS / max(p.shape), 1.0)
    size = (max(round(p.shape[0] * scale), 1), max(round(p.shape[1] * scale), 1))
    colour = resample(_colour(image)[None], size)[0]
    for i in range(parts.count):
        which = torch.zeros(parts.count, dtype=torch.bool)
        which[i] = True
        places = parts.pixels(which)
        if float((p.flatten()[places] - value).abs().mean()) < AGAINST:
            continue
        told.view(-1)[places] = True
        rows, columns = places // p.shape[1], places % p.shape[1]
        extent = torch.stack([rows.amax() - rows.amin() + 1, columns.amax() - columns.amin() + 1]).float()
        width = REACH * scale * max(float(extent.norm()), SHORTEST * max(p.shape))
        seed = torch.zeros_like(p)
        seed.view(-1)[places] = 1
        way = geodesic(colour, resample(seed[None, None], size)[0, 0] > 0, CONTRAST, 3 * width)
        near = enlarge((way / width).clamp(max=4)[None, None], *p.shape)[0, 0]
        reach = torch.maximum(reach, torch.exp(-near.square() / 2))
    return told, reach


def _error(image: Tensor, p: Tensor, marks: list[Tensor]) -> Tensor:
    """The mask's error [h,w], -1..1 or a little over, by regression from strokes and lattice. image: [3,h,w]."""
    looks = _looks(image, p)
    every = looks.flatten(1).T.contiguous()
    marked = marks[0] | marks[1]
    at = marked.flatten().nonzero()[:, 0]
    at = at[:: max(len(at) // STROKE, 1)]
    value = marks[0].flatten()[at].float()
    step = max(int((p.numel() / LATTICE) ** 0.5), 1)
    lattice = torch.zeros_like(marked)
    lattice[step // 2 :: step, step // 2 :: step] = True
    believed = (lattice & ~marked).flatten().nonzero()[:, 0]
    flat = p.flatten()
    known, opinion = value - flat[at], flat[believed]
    contrary = ((value[None] - opinion[:, None]).abs() > 0.5) & (known.abs() > AGAINST)[None]
    like = (_kernel(every[believed], every[at]) * contrary).amax(1)
    doubt = BELIEF * torch.exp(LIKE * like) * (1 + 40 * opinion * (1 - opinion))
    centres = torch.cat([every[at], every[believed]])
    matrix = _kernel(centres, centres).double()
    matrix.diagonal().add_(torch.cat([torch.full_like(known, CERTAIN), doubt]).double())
    weights = torch.linalg.solve(matrix, torch.cat([known, torch.zeros_like(opinion)]).double()[:, None]).float()
    return (_kernel(every, centres) @ weights).view_as(p)


def _looks(image: Tensor, p: Tensor) -> Tensor:
    """What pixels are compared by, [C,h,w], in units of the kernel's width."""
    height, width = p.shape
    side = max(height, width)
    y = torch.linspace(-1, 1, height)[:, None].expand(height, width) * (height / side)
    x = torch.linspace(-1, 1, width).expand(height, width) * (width / side)
    return torch.cat([COLOUR * _colour(image), PLACE * torch.stack([y, x]), OPINION * p[None]])


def _colour(image: Tensor) -> Tensor:
    """Brightness and two opponent colours, [3,h,w]."""
    luma = image.mean(0, keepdim=True)
    return torch.cat([2.1 * luma, 3 * (image[:1] - image[1:2]), 2 * (image[:2].mean(0, keepdim=True) - image[2:])])


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    """exp(-|a - b|^2 / 2), [len(a), len(b)]."""
    square = (a.square().sum(1)[:, None] + b.square().sum(1)[None]).addmm_(a, b.T, alpha=-2)
    return square.clamp_(min=0).mul_(-0.5).exp_()


def _touched(regions: Tensor, stroke: Tensor) -> Tensor:
    """The 8-connected regions, bool [h,w], that have a pixel of the stroke."""
    if not bool(stroke.any()):
        return torch.zeros_like(regions)
    parts = components(regions, 8)
    out = torch.zeros_like(regions)
    out.view(-1)[parts.pixels(parts.touched(stroke & regions))] = True
    return out
