"""Putting a subject over something: straight and premultiplied alpha, backgrounds fitted to the picture.

Porter, Duff, "Compositing Digital Images", SIGGRAPH 1984; values as they stand in the file (sRGB-encoded), as ComfyUI,
GIMP's legacy modes and browsers blend. Straight alpha throughout: a colour is never multiplied by its own alpha.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import check_alpha, check_image, match_batch
from ..errors import InputError
from .resample import resample


def over(foreground: Tensor, alpha: Tensor, background: Tensor) -> Tensor:
    """Straight-alpha `over` an opaque background: F*alpha + B*(1-alpha).

    Args:
        foreground, background: [B,3,H,W], 0..1.
        alpha: [B,1,H,W], 0..1; equal sizes, batches equal or one.

    Returns:
        [B,3,H,W], in the foreground's dtype.

    Raises:
        InputError: shapes, sizes or batches that do not fit.
    """
    check_image(foreground, "foreground")
    check_alpha(alpha)
    check_image(background, "background")
    for name, other in (("alpha", alpha), ("background", background)):
        if other.shape[-2:] != foreground.shape[-2:]:
            raise InputError(
                f"{name} is {other.shape[-1]}x{other.shape[-2]} and the foreground "
                f"{foreground.shape[-1]}x{foreground.shape[-2]}; resize one to the other (fit does it for a background)"
            )
    foreground, alpha = match_batch(foreground, alpha, "foreground", "alpha")
    foreground, background = match_batch(foreground, background, "foreground", "background")
    alpha, _ = match_batch(alpha, foreground, "alpha", "foreground")
    return torch.lerp(background.to(foreground.dtype), foreground, alpha.to(foreground.dtype))


def over_transparent(foreground: Tensor, alpha: Tensor, background: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
    """Straight-alpha `over` a background that is transparent itself (Porter, Duff, SIGGRAPH 1984).

    Args:
        foreground, background: straight colours [B,3,H,W], 0..1.
        alpha, there: their alphas [B,1,H,W], 0..1.

    Returns:
        Straight colours [B,3,H,W] and their alpha [B,1,H,W], in the foreground's dtype; where nothing is seen, the
        foreground's colours.
    """
    background, alpha, there = (x.to(foreground.dtype) for x in (background, alpha, there))
    seen = alpha + (1 - alpha) * there
    mixed = foreground * alpha + background * there * (1 - alpha)
    return torch.where(seen > 0, mixed / seen.clamp(min=1e-4), foreground), seen


def fit(background: Tensor, height: int, width: int, how: str = "cover") -> Tensor:
    """Bring a background to a size. Bilinear, antialiased.

    Args:
        background: [B,3,h,w], 0..1.
        height, width: pixels.
        how: "cover" keeps the aspect, fills the frame, crops the rest, centred; "contain" keeps the aspect, shows all
            of it, and continues its border outward; "stretch" ignores the aspect.

    Returns:
        [B,3,height,width].

    Raises:
        InputError: no picture, or another word.
    """
    check_image(background, "background")
    if how not in ("cover", "contain", "stretch"):
        raise InputError(f"how must be cover, contain or stretch; got {how!r}")
    h, w = background.shape[-2:]
    if (h, w) == (height, width):
        return background
    if how == "stretch":
        new_h, new_w = height, width
    else:
        pick = max if how == "cover" else min
        scale = pick(height / h, width / w)
        new_h, new_w = max(round(h * scale), 1), max(round(w * scale), 1)
        if how == "cover":
            new_h, new_w = max(new_h, height), max(new_w, width)
    out = resample(background.float(), (new_h, new_w)).to(background.dtype)
    top, left = (new_h - height) // 2, (new_w - width) // 2
    if how == "cover":
        return out[:, :, top : top + height, left : left + width]
    pads = (-left, width - new_w + left, -top, height - new_h + top)
    return F.pad(out, pads, mode="replicate") if any(pads) else out


def rgba(colours: Tensor, alpha: Tensor) -> Tensor:
    """Colours and alpha as one straight-alpha picture.

    Args:
        colours: [B,3,H,W], 0..1.
        alpha: [B,1,H,W], 0..1; batches equal or one.

    Returns:
        [B,4,H,W], in the colours' dtype.

    Raises:
        InputError: shapes, sizes or batches that do not fit.
    """
    check_image(colours, "colours")
    check_alpha(alpha)
    if colours.shape[-2:] != alpha.shape[-2:]:
        raise InputError(f"colours are {tuple(colours.shape)} and alpha {tuple(alpha.shape)}; sizes must be equal")
    colours, alpha = match_batch(colours, alpha, "colours", "alpha")
    alpha, _ = match_batch(alpha, colours, "alpha", "colours")
    return torch.cat((colours, alpha.to(colours.dtype)), 1)
