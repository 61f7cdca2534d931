"""What stands behind a subject in a composite: a colour or a picture, in the photograph's own colour profile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..core import Cutout
from ..core.errors import InputError
from ..core.ops.composite import fit, over_transparent
from ..pictures import read
from ..pictures.convert import in_profile
from .pixels import to_tensor

OPAQUE = ("jpeg", "mp4")  # formats without transparency


@dataclass(frozen=True)
class Backdrop:
    """pixels [H,W,3] uint8 (1x1 for a colour), alpha [H,W] uint8 or None, and the profile they are in (None: sRGB)."""

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    icc: bytes | None = None

    def planes(self, height: int, width: int, icc: bytes | None, device: torch.device) -> tuple[Tensor, Tensor | None]:
        """Colours [1,3,H,W] in the photograph's profile and alpha [1,1,H,W] or None, filling the frame."""
        colours = to_tensor(in_profile(self.pixels, self.icc, icc), device)
        alpha = None if self.alpha is None else to_tensor(self.alpha, device)
        if self.pixels.shape[:2] == (1, 1):
            colours = colours.expand(1, 3, height, width)
            return colours, None if alpha is None else alpha.expand(1, 1, height, width)
        if alpha is None:
            return fit(colours, height, width), None
        both = fit(torch.cat((colours * alpha, alpha.expand(-1, 3, -1, -1))).contiguous(), height, width)
        alpha = both[1:, :1]
        return both[:1] / alpha.clamp(min=1e-6), alpha


def planes(result: Cutout, what: str, behind: Backdrop | None, icc: bytes | None, form: str) -> list[Tensor]:
    """What is written of a cut-out, [1,C,H,W] each: its mask, colours and mask (rgba), or the composite."""
    if what == "mask":
        return [result.alpha]
    if what == "rgba":
        return [result.colours, result.alpha]
    assert behind is not None  # the composite's background is made with the arguments
    height, width = result.alpha.shape[-2:]
    plane, there = behind.planes(height, width, icc, result.alpha.device)
    if there is None:
        return [result.over(plane)]
    colours, seen = over_transparent(result.colours, result.alpha, plane, there)
    if form in OPAQUE:
        return [torch.lerp(torch.ones_like(colours), colours, seen)]
    return [colours, seen]


def backdrop(text: str | None) -> Backdrop:
    """A colour (name, hex, CSS function) or a picture file; None is white. Raises InputError, ImageError."""
    from PIL import ImageColor

    try:
        colour = ImageColor.getrgb(text or "white")
    except ValueError:
        pass
    else:
        alpha = None if len(colour) == 3 or colour[3] == 255 else np.full((1, 1), colour[3], np.uint8)
        return Backdrop(np.array([[colour[:3]]], np.uint8), alpha)
    if not Path(str(text)).is_file():
        raise InputError(f"--background {text!r} is neither a colour (white, #30a0ff, rgb(0,128,0)) nor a picture file")
    picture = read(Path(str(text)))
    return Backdrop(picture.rgb, picture.alpha, picture.icc)
