"""Crops for diffusion models: a window around the subject at a size that the model takes, and the exact way back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import check_alpha
from ..errors import InputError
from ..ops.resample import resample

SHAPES = ("picture", "subject", "square")
VISIBLE = 0.05  # alpha above which a pixel belongs to the subject's bounding box


@dataclass(frozen=True)
class Crop:
    """A window of a photograph and the working size that it is resized to.

    picture: height and width of the photograph. corners: top and left of the window, one pair a frame or one for all;
    a window may reach beyond the photograph. box: height and width of the window in the photograph's pixels. size:
    height and width of the working picture. Sample points lie in the middle of pixels, so the way back is exact; where
    size equals box nothing is resampled, and `place(cut(x), x)` is x, bit for bit.
    """

    picture: tuple[int, int]
    corners: tuple[tuple[int, int], ...]
    box: tuple[int, int]
    size: tuple[int, int]

    @property
    def scale(self) -> float:
        """Working pixels for a pixel of the photograph (along the longer side)."""
        return max(self.size) / max(self.box)

    def corner(self, frame: int = 0) -> tuple[int, int]:
        """Top and left of a frame's window."""
        return self.corners[frame if len(self.corners) > 1 else 0]

    def frame(self, i: int) -> Crop:
        """The crop of one frame."""
        return replace(self, corners=(self.corner(i),))

    def inside(self, frame: int = 0) -> tuple[slice, slice]:
        """Rows and columns of the photograph that the frame's window covers."""
        (top, left), (h, w), (height, width) = self.corner(frame), self.box, self.picture
        return slice(max(top, 0), min(top + h, height)), slice(max(left, 0), min(left + w, width))

    def covered(self, frame: int = 0) -> tuple[slice, slice]:
        """Rows and columns of the window that lie inside the photograph."""
        top, left = self.corner(frame)
        rows, columns = self.inside(frame)
        return slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)

    def cut(self, x: Tensor, pad: str = "replicate") -> Tensor:
        """The windows of x [B,C,H,W] at working size, [B,C,h,w]. Beyond the photograph its border is continued
        ("replicate") or there is nothing ("zeros")."""
        self._check(x, self.picture, "x")
        return torch.cat([resize(self.window(one, i, pad), self.size) for i, one in enumerate(x.split(1))])

    def window(self, x: Tensor, frame: int = 0, pad: str = "replicate") -> Tensor:
        """A frame's window of x [1,C,H,W] in the photograph's own pixels, [1,C,*box]."""
        (rows, columns), (ys, xs) = self.inside(frame), self.covered(frame)
        part = x[..., rows, columns]
        pads = (xs.start, self.box[1] - xs.stop, ys.start, self.box[0] - ys.stop)
        if not any(pads):
            return part
        return F.pad(part, pads) if pad == "zeros" else F.pad(part, pads, mode="replicate")

    def place(self, x: Tensor, onto: Tensor) -> Tensor:
        """Photographs `onto` [B,C,H,W] with their windows replaced by the working pictures x [B,C,h,w]: a new tensor.
        What of a window lies beyond the photograph is dropped."""
        self._check(onto, self.picture, "onto")
        self._check(x, self.size, "x")
        if len(x) != len(onto):
            raise InputError(f"x has a batch of {len(x)} and onto a batch of {len(onto)}; give equal batches")
        out = onto.clone()
        for i, one in enumerate(x.split(1)):
            (rows, columns), (ys, xs) = self.inside(i), self.covered(i)
            out[i : i + 1, :, rows, columns] = resize(one, self.box)[..., ys, xs].to(out.dtype)
        return out

    def _check(self, x: Tensor, wanted: tuple[int, int], name: str) -> None:
        if x.ndim != 4 or tuple(x.shape[-2:]) != wanted:
            raise InputError(f"{name} has shape {tuple(x.shape)}; this crop expects [B,C,{wanted[0]},{wanted[1]}]")
        if len(self.corners) not in (1, len(x)):
            raise InputError(
                f"{name} has a batch of {len(x)} and the crop {len(self.corners)} windows; give equal batches"
            )


def plan_crop(
    alpha: Tensor, shape: str = "picture", margin: float = 0.15, long_side: int = 0, multiple: int = 8,
    follow: bool = False,
) -> Crop:  # fmt: skip
    """Choose the window for a batch of alphas [B,1,H,W].

    shape: "picture" takes all of it; "subject" the box around what is visible of the subject in any frame, with
    `margin` (a share of the box's longer side) on each side, inside the photograph as far as possible; "square" the
    same as a square, which may reach beyond the photograph. long_side: of the working picture in pixels, 0 for the
    window's own; both sides of the working picture are multiples of `multiple`. follow: the window keeps one size but
    moves with the subject from frame to frame; otherwise one window serves all frames and a video does not shake.
    A batch without any subject gives the whole photograph. Raises InputError.
    """
    check_alpha(alpha)
    if shape not in SHAPES:
        raise InputError(f"shape must be one of {', '.join(SHAPES)}; got {shape!r}")
    if not 0 <= margin <= 4:
        raise InputError(f"margin must be from 0 to 4 of the subject's longer side; got {margin}")
    if multiple < 1 or long_side < 0:
        raise InputError(f"multiple must be at least 1 and long_side 0 or more; got {multiple} and {long_side}")
    picture = (alpha.shape[-2], alpha.shape[-1])
    boxes = [] if shape == "picture" else [_bounds(one[0]) for one in alpha]
    found = [b for b in boxes if b]
    if found:
        around = (min(b[0] for b in found), max(b[1] for b in found), min(b[2] for b in found),
                  max(b[3] for b in found))  # fmt: skip
        sized = found if follow else [around]
        h, w = max(b[1] - b[0] for b in sized), max(b[3] - b[2] for b in sized)
        space = round(margin * max(h, w))
        h, w = min(h + 2 * space, picture[0]), min(w + 2 * space, picture[1])
        # a frame without the subject looks at the middle of where it is in the others
        centred = [b or around for b in boxes] if follow else [around]
        centres = [((b[0] + b[1]) / 2, (b[2] + b[3]) / 2) for b in centred]
    else:
        (h, w), centres = picture, [(picture[0] / 2, picture[1] / 2)]
    if shape == "square":
        h = w = max(h, w)
    scale = _up(long_side, multiple) / max(h, w) if long_side else 1.0
    size = (_up(h * scale, multiple), _up(w * scale, multiple))
    box = (max(round(size[0] / scale), h), max(round(size[1] / scale), w))
    corners = [(_start(y, box[0], picture[0]), _start(x, box[1], picture[1])) for y, x in centres]
    return Crop(picture, tuple(corners), box, size)


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """x [B,C,h,w] in 0..1 at another size: bicubic, antialiased where it shrinks, clipped to 0..1. In the dtype of x;
    the same values where the size is the same."""
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    out = resample(x.float(), size, "bicubic")
    return out.clamp_(0, 1).to(x.dtype)


def _bounds(alpha: Tensor) -> tuple[int, int, int, int] | None:
    """Top, bottom, left, right (ends not included) of what is visible of [H,W]; None for nothing."""
    seen = alpha > VISIBLE
    rows, columns = seen.any(1).nonzero()[:, 0], seen.any(0).nonzero()[:, 0]
    if not len(rows):
        return None
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _up(value: float, multiple: int) -> int:
    """The next multiple, at least one."""
    return max(-int(-(value - 1e-6) // multiple), 1) * multiple


def _start(centre: float, length: int, whole: int) -> int:
    """Where a window of `length` around `centre` starts: inside 0..whole if it fits, else centred on the whole."""
    if length >= whole:
        return -((length - whole) // 2)
    return min(max(round(centre - length / 2), 0), whole - length)
