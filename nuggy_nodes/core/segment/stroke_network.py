"""The network that spreads strokes: which cells of a small grid a user means besides those that he touched.

0.6 million parameters. A U-net (Ronneberger, Fischer, Brox, MICCAI 2015) of residual blocks (He et al., CVPR 2016) over
features folded by two (Shi et al., CVPR 2016, the other way round), down to a sixteenth of the grid, so that a stroke
is seen from everywhere. Halfway down each cell is compared with the strokes' cells in a metric that is learned (as the
prototypes of Snell, Swersky, Zemel, NeurIPS 2017, but with every cell of a stroke as one): what looks like what was
kept or dropped. What the segmentation network made of the photograph (maps of its decoder, LEARNT channels of them by
principal components) comes in beside it where it is known. The last convolution starts at zero: an untrained network
changes nothing.
"""

from __future__ import annotations

import threading
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..shipped import load_shipped
from .stroke_features import CHANNELS

NAME = "strokes.safetensors"
MAPS, LEARNT = 256, 12  # channels of the segmentation network's maps, and what is used of them
STEP = 16  # the grid's sides are filled up to multiples of this
ASKED = 48  # cells of strokes of a kind that are compared with, at the most
FAR = 6.0  # logarithm of a likeness that counts as none
SURE = 0.02  # a mask nearer to 0 or 1 has the logit of this
_lock = threading.Lock()


class Residual(nn.Module):
    """Two 3x3 convolutions beside an identity; the second starts at zero."""

    def __init__(self, channels: int):
        super().__init__()
        self.a = nn.Conv2d(channels, channels, 3, padding=1)
        self.b = nn.Conv2d(channels, channels, 3, padding=1)
        _zero(self.b)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.b(F.relu(self.a(F.relu(x))))


class Likeness(nn.Module):
    """How like each cell is to the cells of strokes, [B,2,h,w]: of those that keep, of those that drop."""

    def __init__(self, channels: int, metric: int = 12):
        super().__init__()
        self.q = nn.Conv2d(channels, metric, 1)
        self.scale = nn.Parameter(torch.tensor(1.0))

    def forward(self, x: Tensor, marks: Tensor) -> Tensor:
        looks, (height, width), out = self.q(x).flatten(2).transpose(1, 2), x.shape[-2:], []
        for look, pair in zip(looks, marks.flatten(2)):
            for marked in pair:
                share, at = marked.topk(min(ASKED, len(marked)))
                at = at[share > 0]
                if not len(at):
                    out.append(look.new_full((len(look),), -FAR))
                    continue
                apart = torch.cdist(look[None], look[at][None])[0].square()
                out.append(torch.logsumexp(-apart * self.scale.abs(), 1).clamp(-FAR, FAR))
        return torch.stack(out).view(len(x), 2, height, width) / 3


class Spreader(nn.Module):
    """Features [B,10,h,w] (stroke_features), the mask's logits [B,1,h,w], and the segmentation network's maps
    [B,LEARNT,m,n] or None, to the logits of the mask that the user means."""

    mean: Tensor
    basis: Tensor

    def __init__(self, widths: tuple[int, int, int, int] = (16, 48, 64, 64)):
        super().__init__()
        a, b, c, d = widths
        self.inp = nn.Conv2d(CHANNELS * 4, a, 3, padding=1)
        self.r0 = nn.Sequential(Residual(a), Residual(a))
        self.d1 = nn.Conv2d(a, b, 4, 2, 1)
        self.dp = nn.Conv2d(LEARNT, b, 1)
        self.r1 = Residual(b)
        self.like = Likeness(b)
        self.li = nn.Conv2d(2, b, 1)
        self.r1b = Residual(b)
        self.d2 = nn.Conv2d(b, c, 4, 2, 1)
        self.r2 = Residual(c)
        self.d3 = nn.Conv2d(c, d, 4, 2, 1)
        self.r3 = nn.Sequential(Residual(d), Residual(d))
        self.u2 = nn.Conv2d(d, c, 1)
        self.q2 = Residual(c)
        self.u1 = nn.Conv2d(c, b, 1)
        self.q1 = Residual(b)
        self.u0 = nn.Conv2d(b, a, 1)
        self.q0 = Residual(a)
        self.out = nn.Conv2d(a, 4, 3, padding=1)
        _zero(self.out)
        self.register_buffer("mean", torch.zeros(MAPS))
        self.register_buffer("basis", torch.zeros(MAPS, LEARNT))

    def forward(self, features: Tensor, logits: Tensor, learnt: Tensor | None = None) -> Tensor:
        height, width = features.shape[-2:]
        x = F.pad(features, (0, -width % STEP, 0, -height % STEP), mode="replicate")
        x0 = self.r0(self.inp(F.pixel_unshuffle(x, 2)))
        x1 = self.d1(F.relu(x0))
        if learnt is not None:
            x1 = x1 + self.dp(_like(learnt, x1))
        x1 = self.r1(x1)
        x1 = self.r1b(x1 + self.li(self.like(x1, F.max_pool2d(x[:, 4:6], 4))))
        x2 = self.r2(self.d2(F.relu(x1)))
        x3 = self.r3(self.d3(F.relu(x2)))
        y2 = self.q2(x2 + _like(self.u2(x3), x2))
        y1 = self.q1(x1 + _like(self.u1(y2), x1))
        y0 = self.q0(x0 + _like(self.u0(y1), x0))
        return logits + F.pixel_shuffle(self.out(F.relu(y0)), 2)[..., :height, :width]

    def learnt(self, maps: Tensor) -> Tensor:
        """The principal components of the segmentation network's maps.

        Args:
            maps: [B,MAPS,m,n].

        Returns:
            [B,LEARNT,m,n].
        """
        return torch.einsum("bcmn,cl->blmn", maps.float() - self.mean.view(1, -1, 1, 1), self.basis)


def logits_of(mask: Tensor) -> Tensor:
    """A mask's logits.

    Args:
        mask: 0..1.

    Returns:
        Logits of the mask, kept from 0 and 1 by SURE.
    """
    return torch.logit(mask.clamp(SURE, 1 - SURE))


@lru_cache(maxsize=1)
def load_spreader() -> Spreader:
    """The shipped network, read once, on the CPU: its grid is small.

    Returns:
        The network in evaluation mode, float32.

    Raises:
        WeightsError: missing or damaged.
    """
    with _lock:
        return load_shipped(NAME, Spreader)


def _zero(layer: nn.Conv2d) -> None:
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def _like(x: Tensor, other: Tensor) -> Tensor:
    return F.interpolate(x, size=other.shape[-2:], mode="bilinear", align_corners=False)
