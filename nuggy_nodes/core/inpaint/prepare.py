"""In front of a diffusion model that paints a new background: what it is shown, and what it may repaint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..checks import check_alpha, check_finite, check_image, match_batch
from ..errors import InputError
from ..foreground.estimate import estimate_foreground
from ..ops.colour import colour_plane
from ..ops.composite import over
from .crop import Crop
from .plan_crop import plan_crop
from .repaint_mask import repaint_mask

FILLS = ("neutral", "subject", "original")
NEUTRAL = (0.5, 0.5, 0.5)  # zero for the model: what VAEEncodeForInpaint and InpaintModelConditioning put, too
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Stitch:
    """What paste_back needs: the photographs [B,3,H,W] and alphas [B,1,H,W] at full size, where the working pictures
    lie in them, which part of those was repainted [B,1,h,w], how wide (working pixels) the change to the photograph's
    own background is where a crop ends inside it, and whether the model was shown the old background."""

    image: Tensor
    alpha: Tensor
    crop: Crop
    mask: Tensor
    border: int
    shown: bool


@dataclass(frozen=True)
class Prepared:
    """image [B,3,h,w] and mask [B,1,h,w] (1 = repaint) at the working size, and the way back."""

    image: Tensor
    mask: Tensor
    stitch: Stitch


@torch.inference_mode()
def prepare_inpainting(
    image: Tensor,
    alpha: Tensor,
    *,
    fill: str = "neutral",
    grow: int = 8,
    feather: int = 0,
    protect: float = 0.95,
    cells: str = "keep",
    crop: str = "picture",
    margin: float = 0.15,
    long_side: int = 0,
    multiple: int = 8,
    follow: bool = False,
    grid: int = 8,
    progress: Progress | None = None,
) -> Prepared:
    """Make ready for a model that repaints the background of a kept subject.

    Where a "subject" crop ends inside the photograph, repainting ends before it and the photograph shows there, for the
    model to continue; a "square" crop shows nothing of the surroundings, as a reference picture wants it.

    Guaranteed for the fills "neutral" and "subject" with crop "picture" or "square": a background pixel (alpha 0)
    farther than unknown_region.REACH working pixels from every soft edge pixel has no influence on the prepared image.

    Args:
        image: [B,3,H,W], 0..1.
        alpha: [B,1,H,W], 0..1, 1 = subject, of the image's size; batches equal or one.
        fill: what the model is shown behind the subject. An encoder spreads a pixel over its surroundings and its
            attention over the whole picture, so an old background that is only masked still comes through. "neutral"
            puts middle grey, "subject" continues the subject's colours smoothly, "original" leaves the photograph as it
            is (to change it by degrees: denoise below 1, differential diffusion). In the first two the subject's edge
            has its own colours (estimate_foreground).
        grow, feather, protect, grid, cells: of repaint_mask, in pixels of the working picture.
        crop, margin, long_side, multiple, follow: of plan_crop; `multiple` must be a multiple of `grid`.
        progress: called with frames done and their number.

    Returns:
        Picture and mask at working size, and the stitch that paste_back takes.

    Raises:
        InputError: shapes, sizes, batches or settings that do not fit.
    """
    check_image(image)
    check_alpha(alpha)
    if image.shape[-2:] != alpha.shape[-2:]:
        raise InputError(
            f"alpha is {alpha.shape[-1]}x{alpha.shape[-2]} and the image {image.shape[-1]}x{image.shape[-2]}; "
            "resize the alpha to the image"
        )
    if fill not in FILLS:
        raise InputError(f"fill must be one of {', '.join(FILLS)}; got {fill!r}")
    if grid < 1 or multiple % grid:
        raise InputError(f"multiple must be a multiple of the latent grid, {grid}; got {multiple}")
    check_finite(image)
    check_finite(alpha, "alpha")
    image, alpha = match_batch(image, alpha, "image", "alpha")
    window = plan_crop(alpha, crop, margin, long_side, multiple, follow)
    border = 0 if crop == "picture" else max(round(margin * max(window.size) / (1 + 2 * margin) / 4), grid)
    images, masks = [], []
    for i, (one, matte) in enumerate(zip(image.split(1), alpha.split(1))):
        if progress:
            progress(i, len(image))
        single = window.frame(i)
        picture, matte = single.cut(one), single.cut(matte.float(), "zeros")
        within = reach(single, border if crop == "subject" else 0, matte.device)
        masks.append(repaint_mask(matte, grow, feather, protect, grid, cells, within))
        images.append(_hide(picture, matte, fill, within > 0.5))
    if progress:
        progress(len(image), len(image))
    mask = torch.cat(masks)
    return Prepared(torch.cat(images), mask, Stitch(image, alpha, window, mask, border, fill == "original"))


def reach(crop: Crop, border: int, device: torch.device | None = None) -> Tensor:
    """How much of the repainted background shows, for a crop of one window.

    0 within `border` pixels of those sides of the window that lie inside the photograph, from there a ramp of the same
    length up to 1. Above 0.5 the model may repaint.

    Args:
        crop: of one frame.
        border: working pixels, 0 or more.
        device: where it is made; None for the CPU.

    Returns:
        [1,1,h,w] at working size, 0..1.
    """
    ramps = []
    for start, box, whole, length in zip(crop.corner(), crop.box, crop.picture, crop.size):
        at = torch.arange(length, device=device) + 0.5
        before = at if start > 0 else torch.full_like(at, length)
        after = length - at if start + box < whole else torch.full_like(at, length)
        ramps.append((torch.minimum(before, after) / border - 1).clamp_(0, 1) if border else torch.ones_like(at))
    return torch.minimum(ramps[0][:, None], ramps[1])[None, None]


def _hide(picture: Tensor, alpha: Tensor, fill: str, within: Tensor) -> Tensor:
    """One picture [1,3,h,w] without its background where `within` holds."""
    if fill == "original":
        return picture
    colours = estimate_foreground(picture, alpha)
    if fill == "neutral":
        colours = over(colours, alpha, colour_plane(NEUTRAL, colours))
    return colours if bool(within.all()) else torch.where(within, colours, picture)
