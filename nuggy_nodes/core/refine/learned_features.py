"""What the learned refinement is shown: the photograph, both masks, and where a pixel lies between its local colours.

The colours of the sure subject and of the sure background are averaged around every pixel (several radii, the near ones
heavier), on a lattice of four pixels. A pixel that mixes them lies on the line between them (Levin, Lischinski, Weiss,
"A Closed-Form Solution to Natural Image Matting", PAMI 2008, call it the colour line): its place on the line is an
estimate of alpha, the line's length and the pixel's distance from it tell how far to believe that.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..ops.box_filter import box_mean
from ..ops.cells import cell_sums, in_strips, inverse_counts

LATTICE = 4  # pixels
RADII = ((8, 1.0), (20, 0.1), (56, 0.01))  # pixels, weight
FAR = 28  # pixels: wider means are taken on a lattice four times as coarse
SUBJECT, BACKGROUND, SURE = 0.85, 0.15, 0.1  # alpha from and to which a pixel is sure, over this ramp
FLAT = 2e-3  # squared colour distance below which there is no line


def local_colours(image: Tensor, alpha: Tensor) -> Tensor:
    """The colours of the sure subject and of the sure background around each cell.

    Args:
        image: [B,3,H,W], 0..1.
        alpha: [B,1,H,W], 0..1.

    Returns:
        [B,7,h,w] on the lattice: subject's colour, background's, whether both are known (0 or 1).
    """
    lattice = torch.stack([_sure_colours(i, a[0]) for i, a in zip(image, alpha)])
    coarse = F.avg_pool2d(lattice, LATTICE, ceil_mode=True, count_include_pad=False)
    mixed = torch.zeros_like(lattice)
    for radius, weight in RADII:
        if radius <= FAR:
            mixed += weight * box_mean(lattice, max(round(radius / LATTICE), 1))
        else:
            wide = box_mean(coarse, max(round(radius / LATTICE**2), 1))
            near = F.interpolate(wide, scale_factor=LATTICE, mode="bilinear", align_corners=False)
            mixed += weight * near[..., : lattice.shape[-2], : lattice.shape[-1]]
    known = ((mixed[:, 3:4] > 1e-4) & (mixed[:, 7:8] > 1e-4)).float()
    return torch.cat((mixed[:, :3] / (mixed[:, 3:4] + 1e-5), mixed[:, 4:7] / (mixed[:, 7:8] + 1e-5), known), 1)


def _sure_colours(image: Tensor, alpha: Tensor) -> Tensor:
    """Of one photograph [3,H,W] and alpha [H,W], means over cells of LATTICE: the sure subject's colour and share, the
    background's, [8,h,w]."""
    height, width = alpha.shape[-2:]
    down, across = -(-height // LATTICE), -(-width // LATTICE)
    out = torch.empty(8, down, across, device=alpha.device)

    def one(top: int, bottom: int) -> None:
        part, seen = image[:, top:bottom].float(), alpha[top:bottom].float()
        first, last = top // LATTICE, -(-bottom // LATTICE)
        planes = torch.zeros(8, (last - first) * LATTICE, across * LATTICE, device=out.device)
        inside = planes[:, : bottom - top, :width]  # beyond the picture nothing is sure
        torch.sub(seen, SUBJECT, out=inside[3]).div_(SURE).clamp_(0, 1)
        torch.sub(BACKGROUND, seen, out=inside[7]).div_(SURE).clamp_(0, 1)
        torch.mul(part, inside[3], out=inside[:3])
        torch.mul(part, inside[7], out=inside[4:7])
        out[:, first:last] = cell_sums(planes, LATTICE)

    in_strips(one, height, width, LATTICE, out.device)  # nothing of full size is held
    shares = (inverse_counts(side, LATTICE, out.device) for side in (height, width))
    return out.mul_(next(shares)[:, None]).mul_(next(shares))


def features(image: Tensor, coarse: Tensor, alpha: Tensor, local: Tensor) -> Tensor:
    """A window's features: RGB, the coarse mask, the filtered one, alpha on the colour line (these less a half), the
    line's length, the distance from it.

    Args:
        image: [1,3,h,w], 0..1.
        coarse, alpha: the mask before the filter and after it, [1,1,h,w], 0..1.
        local: `local_colours` of the window, enlarged to its pixels, [1,7,h,w].

    Returns:
        [1,8,h,w].
    """
    front, back, known = local[:, :3], local[:, 3:6], local[:, 6:7]
    line, off = front - back, image - back
    square = _dot(line, line)
    along = _dot(off, line).div_(square + FLAT)
    off.addcmul_(along, line, value=-1)  # what is left of it across the line
    distance = _dot(off, off).sqrt_().clamp_(max=1).mul_(known)
    told = torch.lerp(alpha, along.clamp_(-0.5, 1.5), known)
    layout = torch.channels_last if image.device.type == "cpu" else torch.contiguous_format  # as the network likes it
    shape = (len(image), 8, *image.shape[-2:])
    shown = torch.empty(shape, dtype=image.dtype, device=image.device, memory_format=layout)
    for i, plane in enumerate((*image.split(1, 1), coarse, alpha, told)):  # three at once take twice as long
        torch.sub(plane, 0.5, out=shown[:, i : i + 1])
    torch.mul(square.sqrt_(), known, out=shown[:, 6:7])
    shown[:, 7:] = distance
    return shown


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """The inner product of colours [B,3,h,w], [B,1,h,w]; torch's sum over so few channels takes twice as long."""
    return (a[:, :1] * b[:, :1]).addcmul_(a[:, 1:2], b[:, 1:2]).addcmul_(a[:, 2:], b[:, 2:])
