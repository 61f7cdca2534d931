"""Views: the ways in which a photograph is shown to the network, and the way of each answer back (test-time
augmentation). One object owns a view's geometry and its inverse."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import InputError
from ..network.metadata import STRIDE

if TYPE_CHECKING:  # a view is a setting too, and settings are read where torch is not wanted
    from torch import Tensor

    from ..network.protocol import Form


@dataclass(frozen=True)
class View:
    """One way of showing a photograph to the network.

    The photograph is squashed to an inner square, its border continued outward by `margin` pixels on every side up to
    `size`, and mirrored if `flip`. size: a multiple of 32, 256..4096; pad: the share of the photograph's side that is
    added on each side (0..1), rounded so that the margin is a whole number of cells of the answer and can be cut off
    again exactly. own: the size is a network's own, which need be neither (`fitted`). doubtful: asked only where the
    others do not settle it (asking.py).
    """

    size: int = 1024
    flip: bool = False
    pad: float = 0.0
    own: bool = False
    doubtful: bool = False

    def __post_init__(self) -> None:
        if not self.own and (self.size % STRIDE or not 256 <= self.size <= 4096):
            raise InputError(f"a view's size is a multiple of {STRIDE} from 256 to 4096; got {self.size}")
        if not 0 <= self.pad <= 1:
            raise InputError(f"a view's pad is a share of the photograph's side, 0 to 1; got {self.pad}")

    @property
    def margin(self) -> int:
        """Pixels of the square on each side that show the continued border; even, and of a network's own size a
        multiple of 8, for grids down to an eighth."""
        step = 8 if self.own else 2
        return step * round(self.size * self.pad / (1 + 2 * self.pad) / step)

    def to_square(self, image: Tensor) -> Tensor:
        """The photograph as the network is shown it, antialiased bilinear.

        Args:
            image: [B,3,H,W], 0..1.

        Returns:
            [B,3,size,size] float32.
        """
        import torch
        import torch.nn.functional as F

        from ..ops.resample import resample

        inner = self.size - 2 * self.margin
        if image.element_size() == 4:
            x = resample(image, (inner, inner))
        else:  # a channel at a time: the photograph need not be held in float32
            x = torch.cat([resample(c.float(), (inner, inner)) for c in image.split(1, 1)], 1)
        if self.margin:
            x = F.pad(x, (self.margin,) * 4, mode="replicate")
        return x.flip(-1) if self.flip else x

    def from_square(self, answer: Tensor) -> Tensor:
        """The answer back in the photograph's frame: unflipped, uncropped.

        Args:
            answer: [B,C,n,n], on the network's grid.

        Returns:
            [B,C,m,m].
        """
        if self.flip:
            answer = answer.flip(-1)
        cut = self.margin * answer.shape[-1] // self.size
        return answer[..., cut : answer.shape[-2] - cut, cut : answer.shape[-1] - cut] if cut else answer

    def __str__(self) -> str:
        padded = f"p{round(self.pad * 100)}" if self.pad else ""
        return f"{self.size}{'f' if self.flip else ''}{padded}{'d' if self.doubtful else ''}"


PAIR = (View(), View(flip=True))
SHARE_OF = 1024  # a view's size is said for networks of this one; for others it is a share of theirs


def fitted(view: View, form: Form) -> View:
    """The view for a network: of the same share of its own size, as near as it takes it.

    Args:
        view: said for a network of SHARE_OF pixels.
        form: of the network.

    Returns:
        The view; itself for IS-Net.
    """
    if form.measured:
        return view
    size = form.size
    if not form.fixed:
        size = max(round(view.size * form.size / SHARE_OF / form.stride), 2) * form.stride
    return View(min(size, 4096), view.flip, view.pad, own=True, doubtful=view.doubtful)


def shown(views: Sequence[View], image: Tensor) -> list[Tensor]:
    """A photograph as each view shows it; of a view and its mirror image it is resized once.

    Args:
        views: any.
        image: [B,3,H,W], 0..1.

    Returns:
        [B,3,size,size] float32 for each, the values of View.to_square.
    """
    plain = {v: v.to_square(image) for v in {replace(v, flip=False) for v in views}}
    return [plain[v] if not v.flip else plain[replace(v, flip=False)].flip(-1) for v in views]


def parse_view(text: str) -> View:
    """A view as text: the inverse of str(View).

    Args:
        text: '1024', '640f' (flipped), '1024p15' (border continued by 15 %), '768fp15', '1024d' (only in doubt).

    Returns:
        The view.

    Raises:
        InputError: anything else, or a size or share out of range.
    """
    found = re.fullmatch(r"(\d+)(f?)(?:p(\d+))?(d?)", text.strip())
    if not found:
        raise InputError(f"a view is written SIZE[f][pPERCENT][d], for example 1024, 1024f or 768fp15; got {text!r}")
    return View(int(found[1]), bool(found[2]), int(found[3] or 0) / 100, doubtful=bool(found[4]))
