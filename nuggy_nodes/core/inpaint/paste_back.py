"""Behind a diffusion model that painted a new background: the photograph's subject over it, at full size.

What the model gives of the subject has been through an encoder and a decoder and is not the subject any more. So its
picture only lends the background: at soft edges, where it shows both, the background behind the subject is estimated
as for any photograph (layers.layers), and the photograph's own subject, with its own estimated
colours, goes over that.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import check_finite, check_image
from ..errors import InputError
from ..foreground.fill_hidden import fill_hidden
from ..foreground.split import layers
from ..ops.composite import over
from .crop import Crop, resize
from .prepare import Progress, Stitch, reach
from .repaint_mask import ramp_inside

WHOLE = 0.999  # of the mask: painted for good
DECODED = 8  # working pixels over which a decoder mixes what was painted with what was kept
ASPECT = 0.02  # by how much the aspect of the painted picture may differ from the working picture's


@torch.inference_mode()
def paste_back(stitch: Stitch, painted: Tensor, progress: Progress | None = None) -> tuple[Tensor, Tensor]:
    """The photographs with their new background, and that background alone.

    Guaranteed for the pictures: where alpha is 1, and outside the crop, the photograph's values bit for bit; where
    alpha is 0 and the model has repainted, the painted picture's (bit for bit in the photograph's own size). Between,
    alpha F + (1 - alpha) B with F of the photograph and B of the painted picture. Where the model was not shown the old
    background and has kept a cell for the subject's sake, B continues smoothly what was painted around.
    The backgrounds go on behind the subject in the same way.

    Args:
        stitch: of prepare_inpainting.
        painted: [B,3,h,w], 0..1, the model's pictures in the working size of `stitch` or enlarged from it (an upscaler
            between is welcome); one photograph serves many painted pictures and the reverse.
        progress: called with frames done and their number.

    Returns:
        Pictures and backgrounds, both [B,3,H,W] in the photograph's size and dtype.

    Raises:
        InputError: painted pictures that do not belong to the stitch.
    """
    count, frames = check_painted(stitch, painted), len(stitch.image)
    pictures = torch.empty(count, *stitch.image.shape[1:], dtype=stitch.image.dtype, device=stitch.image.device)
    backgrounds = torch.empty_like(pictures)
    for i in range(count):
        if progress:
            progress(i, count)
        new = painted[i if len(painted) > 1 else 0][None].to(stitch.image.device)
        pictures[i], backgrounds[i] = _paste(stitch, i if frames > 1 else 0, new)
    if progress:
        progress(count, count)
    return pictures, backgrounds


def check_painted(stitch: Stitch, painted: Tensor) -> int:
    """How many pictures paste_back gives.

    Args:
        stitch, painted: as for paste_back.

    Returns:
        The larger of both batches.

    Raises:
        InputError: painted pictures of another aspect or batch than the prepared ones.
    """
    check_image(painted, "painted")
    check_finite(painted, "painted")
    (h, w), frames = stitch.crop.size, len(stitch.image)
    if abs(painted.shape[-1] * h / (painted.shape[-2] * w) - 1) > ASPECT:
        raise InputError(
            f"painted is {painted.shape[-1]}x{painted.shape[-2]} and the prepared picture was {w}x{h}; give the "
            "sampler's picture in that size, or enlarged from it"
        )
    count = max(len(painted), frames)
    if len(painted) not in (1, count) or frames not in (1, count):
        raise InputError(
            f"painted has a batch of {len(painted)} and the prepared picture a batch of {frames}; give equal batches, "
            "or one"
        )
    return count


def _paste(stitch: Stitch, frame: int, new: Tensor) -> tuple[Tensor, Tensor]:
    """One photograph and the background alone, [3,H,W] each."""
    crop = stitch.crop.frame(frame)
    (rows, columns), (ys, xs) = crop.inside(), crop.covered()
    whole, matte = stitch.image[frame][None], stitch.alpha[frame][None]
    image, alpha = whole[..., rows, columns], matte[..., rows, columns].float()
    allowed = reach(crop, stitch.border, image.device)
    shows = _at_box(allowed, crop)[..., ys, xs]

    new = resize(new, crop.box)[..., ys, xs].to(image.dtype)
    _, behind = layers(new, alpha)
    if not stitch.shown:
        kept = (stitch.mask[frame][None].to(image.device) < WHOLE) & (allowed > 0.5)
        behind = _continued(behind, _at_box(ramp_inside((~kept).float(), DECODED), crop)[..., ys, xs])

    colours, before = layers(image, alpha)
    behind = torch.lerp(before, behind, shows.to(behind.dtype))
    made = over(colours, alpha, behind)
    picture, background = whole.clone(), whole.clone()
    picture[..., rows, columns] = torch.where((alpha >= 1) | (shows <= 0), image, made)
    background[..., rows, columns] = behind
    return picture[0], background[0]


def _continued(background: Tensor, trust: Tensor) -> Tensor:
    """The background where trust [1,1,H,W] is 1, its smooth continuation where it is 0, and a mixture between."""
    if not bool((trust > WHOLE).any()):
        return background
    return torch.lerp(fill_hidden(background, trust, below=WHOLE), background, trust.to(background.dtype))


def _at_box(x: Tensor, crop: Crop) -> Tensor:
    """A mask of the working picture in the photograph's pixels, bilinearly."""
    return x if crop.box == crop.size else F.interpolate(x, size=crop.box, mode="bilinear", align_corners=False)
