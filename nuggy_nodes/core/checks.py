"""Guards on the first line of the public functions: shapes, batches and values, refused with a sentence."""

from __future__ import annotations

import torch
from torch import Tensor

from .errors import InputError


def check_image(image: Tensor, name: str = "image", channels: tuple[int, ...] = (3,)) -> Tensor:
    """Return `image` if it is a float [B,C,H,W] tensor with C in `channels` and no side of zero; else InputError."""
    wanted = " or ".join(str(c) for c in channels)
    if not isinstance(image, Tensor) or not image.is_floating_point():
        got = f"a {image.dtype} tensor" if isinstance(image, Tensor) else f"a {type(image).__name__}"
        raise InputError(f"{name} is {got}; it must be a float tensor with values from 0 to 1")
    if image.ndim != 4 or image.shape[1] not in channels:
        raise InputError(
            f"{name} has shape {tuple(image.shape)}; expected [batch, {wanted}, height, width]"
            + ("; drop the fourth (alpha) channel first" if image.ndim == 4 and image.shape[1] == 4 else "")
        )
    if 0 in image.shape:
        raise InputError(f"{name} is empty (shape {tuple(image.shape)}); give at least one picture of one pixel")
    return image


def check_alpha(alpha: Tensor, name: str = "alpha") -> Tensor:
    """Return `alpha` if it is a float [B,1,H,W] tensor with no side of zero; else InputError."""
    return check_image(alpha, name, (1,))


def check_finite(x: Tensor, name: str = "image") -> Tensor:
    """Return `x` if it holds no NaN and no infinity; else InputError that counts them."""
    if not torch.isfinite(x.sum(dtype=torch.float32)):  # one pass; a finite sum has finite terms
        bad = int((~torch.isfinite(x)).sum())
        if bad:
            raise InputError(f"{name} has {bad} values that are NaN or infinite; repair the node or file it comes from")
    return x


def match_batch(first: Tensor, second: Tensor, first_name: str, second_name: str) -> tuple[Tensor, Tensor]:
    """Let a batch of one serve a batch of many (a view, no copy); any other mismatch is an InputError."""
    a, b = first.shape[0], second.shape[0]
    if a != b and 1 not in (a, b):
        raise InputError(
            f"{first_name} has a batch of {a} and {second_name} a batch of {b}; give equal batches, or one"
        )
    if a < b:
        first = first.expand(b, *first.shape[1:])
    elif b < a:
        second = second.expand(a, *second.shape[1:])
    return first, second


def check_same_size(first: Tensor, second: Tensor, first_name: str, second_name: str) -> None:
    """InputError that names both sizes unless height and width of the two are equal."""
    (h, w), (height, width) = first.shape[-2:], second.shape[-2:]
    if (h, w) != (height, width):
        raise InputError(
            f"{first_name} is {w}x{h} and {second_name} {width}x{height}; sizes must be equal: resize one to the other"
        )
