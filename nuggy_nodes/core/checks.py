"""Guards on the first line of the public functions: shapes, batches and values, refused with a sentence."""

from __future__ import annotations

import torch
from torch import Tensor

from .errors import InputError


def check_image(image: Tensor, name: str = "image", channels: tuple[int, ...] = (3,)) -> Tensor:
    """Refuse what is no picture, or not of so many channels.

    Args:
        image: what a caller gave; a float tensor [B,C,H,W] with no side of zero is let through.
        name: what the caller calls it, for the sentence.
        channels: the numbers of channels that are allowed.

    Returns:
        `image` itself.

    Raises:
        InputError: another type, shape or number of channels, or empty.
    """
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
    """As check_image, for masks.

    Args:
        alpha: what a caller gave; a float tensor [B,1,H,W] with no side of zero is let through.
        name: what the caller calls it.

    Returns:
        `alpha` itself.

    Raises:
        InputError: another type or shape, or empty.
    """
    return check_image(alpha, name, (1,))


def check_finite(x: Tensor, name: str = "image") -> Tensor:
    """Refuse values that are no numbers.

    Args:
        x: a tensor of any shape and float type.
        name: what the caller calls it.

    Returns:
        `x` itself.

    Raises:
        InputError: NaN or infinity in it; the sentence counts them.
    """
    if not torch.isfinite(x.sum(dtype=torch.float32)):  # one pass; a finite sum has finite terms
        bad = int((~torch.isfinite(x)).sum())
        if bad:
            raise InputError(f"{name} has {bad} values that are NaN or infinite; repair the node or file it comes from")
    return x


def match_batch(first: Tensor, second: Tensor, first_name: str, second_name: str) -> tuple[Tensor, Tensor]:
    """Let a batch of one serve a batch of many.

    Args:
        first, second: tensors [B,...]; batches equal or one.
        first_name, second_name: what the caller calls them.

    Returns:
        Both with equal batches; a repeated one is a view, nothing is copied.

    Raises:
        InputError: batches that are neither equal nor one.
    """
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
    """Refuse two tensors of different height or width.

    Args:
        first, second: tensors [...,H,W].
        first_name, second_name: what the caller calls them.

    Raises:
        InputError: names both sizes, width first.
    """
    (h, w), (height, width) = first.shape[-2:], second.shape[-2:]
    if (h, w) != (height, width):
        raise InputError(
            f"{first_name} is {w}x{h} and {second_name} {width}x{height}; sizes must be equal: resize one to the other"
        )
