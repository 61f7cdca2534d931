"""Crops for diffusion models: a window around the subject at a size that the model takes, and the exact way back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import InputError
from ..ops.resample import resample


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
        """Top and left of a frame's window in the photograph.

        Args:
            frame: its number.

        Returns:
            Pixels; below 0 where the window begins outside.
        """
        return self.corners[frame if len(self.corners) > 1 else 0]

    def frame(self, i: int) -> Crop:
        """The crop of one frame.

        Args:
            i: its number.

        Returns:
            A Crop with one window.
        """
        return replace(self, corners=(self.corner(i),))

    def inside(self, frame: int = 0) -> tuple[slice, slice]:
        """Rows and columns of the photograph that a frame's window covers.

        Args:
            frame: its number.

        Returns:
            Two slices, in pixels of the photograph.
        """
        (top, left), (h, w), (height, width) = self.corner(frame), self.box, self.picture
        return slice(max(top, 0), min(top + h, height)), slice(max(left, 0), min(left + w, width))

    def covered(self, frame: int = 0) -> tuple[slice, slice]:
        """Rows and columns of a frame's window that lie inside the photograph.

        Args:
            frame: its number.

        Returns:
            Two slices, in pixels of the window.
        """
        top, left = self.corner(frame)
        rows, columns = self.inside(frame)
        return slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)

    def cut(self, x: Tensor, pad: str = "replicate") -> Tensor:
        """The windows at working size.

        Args:
            x: [B,C,H,W], of the photographs' size.
            pad: beyond the photograph its border is continued ("replicate") or there is nothing ("zeros").

        Returns:
            [B,C,h,w].

        Raises:
            InputError: another size or batch than the crop was made for.
        """
        self._check(x, self.picture, "x")
        return torch.cat([resize(self.window(one, i, pad), self.size) for i, one in enumerate(x.split(1))])

    def window(self, x: Tensor, frame: int = 0, pad: str = "replicate") -> Tensor:
        """A frame's window in the photograph's own pixels.

        Args:
            x: [1,C,H,W].
            frame: its number.
            pad: as for cut.

        Returns:
            [1,C,*box].
        """
        (rows, columns), (ys, xs) = self.inside(frame), self.covered(frame)
        part = x[..., rows, columns]
        pads = (xs.start, self.box[1] - xs.stop, ys.start, self.box[0] - ys.stop)
        if not any(pads):
            return part
        return F.pad(part, pads) if pad == "zeros" else F.pad(part, pads, mode="replicate")

    def place(self, x: Tensor, onto: Tensor) -> Tensor:
        """Photographs with their windows replaced; what of a window lies beyond the photograph is dropped.

        Args:
            x: the working pictures [B,C,h,w].
            onto: the photographs [B,C,H,W].

        Returns:
            A new tensor [B,C,H,W], in the photographs' dtype.

        Raises:
            InputError: sizes or batches that are not the crop's.
        """
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


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Another size: bicubic, antialiased where it shrinks, clipped to 0..1.

    Args:
        x: [B,C,h,w], 0..1.
        size: height and width.

    Returns:
        [B,C,*size] in the dtype of x; x itself where the size is the same.
    """
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    out = resample(x.float(), size, "bicubic")
    return out.clamp_(0, 1).to(x.dtype)
