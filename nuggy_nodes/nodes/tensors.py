"""ComfyUI's tensors to the core's and back: IMAGE [B,H,W,C] to [B,3,H,W], MASK [B,H,W] to [B,1,H,W]."""

from __future__ import annotations

from torch import Tensor

from ..core.checks import check_alpha, check_finite, check_image
from ..core.errors import InputError
from .compat import intermediate

ASPECT = 0.02  # by how much a mask's aspect may differ from its picture's


def from_image(image: Tensor, name: str = "image") -> Tensor:
    """IMAGE to the core's layout, a view where possible. A grey picture becomes three equal channels; a fourth channel
    (alpha) is left out.

    Args:
        image: IMAGE [B,H,W,C].
        name: the input's, for the sentence.

    Returns:
        [B,3,H,W].

    Raises:
        InputError: what is not a picture, is empty, holds NaN, or counts from 0 to 255.
    """
    if image.ndim != 4 or image.shape[-1] not in (1, 3, 4):
        raise InputError(
            f"{name} has shape {tuple(image.shape)}; an IMAGE is [batch, height, width, 3 or 4]: connect the output of "
            "Load Image or another node that gives pictures"
        )
    if 0 in image.shape:
        raise InputError(
            f"{name} is empty (shape {tuple(image.shape)}): the node before it gave no picture; look there"
        )
    out = image[..., :3].movedim(-1, 1)
    out = out.expand(-1, 3, -1, -1) if out.shape[1] == 1 else out
    out = check_finite(check_image(out if out.is_floating_point() else out.float(), name), name)
    high = float(out.amax())
    if 2 < high <= 255 and bool((out == out.round()).all()):  # light above 1 is no row of whole numbers
        raise InputError(
            f"{name} has whole numbers up to {high:.0f}; an IMAGE goes from 0 to 1: the node before it forgot to "
            "divide by 255"
        )
    return out


def from_mask(mask: Tensor, name: str = "mask") -> Tensor:
    """MASK to the core's layout. Older nodes give [H,W] or [B,1,H,W], some give bool: taken too.

    Args:
        mask: MASK [B,H,W].
        name: the input's, for the sentence.

    Returns:
        [B,1,H,W] float32, clipped to 0..1.

    Raises:
        InputError: what is not a mask, is empty, or holds NaN.
    """
    out = mask.float()
    if out.ndim == 4 and 1 in (out.shape[1], out.shape[-1]):
        out = out if out.shape[1] == 1 else out.movedim(-1, 1)
    elif out.ndim in (2, 3):
        out = out.reshape(-1, 1, *out.shape[-2:]) if 0 not in out.shape else out[..., None, :, :]
    else:
        raise InputError(f"{name} has shape {tuple(mask.shape)}; a MASK is [batch, height, width]")
    if 0 in out.shape:
        raise InputError(f"{name} is empty (shape {tuple(mask.shape)}): the node before it gave no mask; look there")
    return check_finite(check_alpha(out, name), name).clamp(0, 1)


def mask_for(images: Tensor, mask: Tensor, name: str = "mask") -> Tensor:
    """MASK of pictures; all zeros, as Load Image gives without transparency, may have any shape.

    Args:
        images: [B,3,H,W].
        mask: MASK, of their size or another with their aspect.
        name: the input's, for the sentence.

    Returns:
        [b,1,h,w].

    Raises:
        InputError: another aspect, which is another picture's mask.
    """
    out = from_mask(mask, name)
    (h, w), (height, width) = out.shape[-2:], images.shape[-2:]
    off = abs(h * width - w * height)
    if off > max(height, width, h, w) and off > ASPECT * min(h * width, w * height) and bool(out.any()):
        turned = abs(w * width - h * height) <= ASPECT * h * height
        raise InputError(
            f"{name} is {w}x{h} and the image {width}x{height}, "
            + ("the same turned on its side: turn one of them" if turned else "another shape")
            + "; give the mask that was made of this picture"
        )
    return out


def to_image(x: Tensor) -> Tensor:
    """A picture as IMAGE, where and as ComfyUI keeps it.

    Args:
        x: [B,C,H,W].

    Returns:
        IMAGE [B,H,W,C].
    """
    return intermediate(x.movedim(1, -1)).contiguous()


def to_mask(x: Tensor) -> Tensor:
    """A mask as MASK, where and as ComfyUI keeps it.

    Args:
        x: [B,1,H,W].

    Returns:
        MASK [B,H,W].
    """
    return intermediate(x[:, 0]).contiguous()
