"""Foreground colours: what the subject's colour is where a pixel shows subject and background at once.

A photograph's pixel is I = alpha F + (1 - alpha) B. A cut-out that keeps I keeps a rim of the old background in hair
and at every soft edge; it must hold F. Straight alpha throughout: no colour leaves here multiplied by its alpha.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal, overload

import torch
from torch import Tensor

from ..checks import check_alpha, check_finite, check_image, match_batch
from ..errors import InputError
from ..ops.tiles import Window, tile_side, tiles
from .fill_hidden import fill_one
from .multilevel import multilevel
from .opacity import within
from .unknown_region import CELL, HIDDEN, unsure, unsure_cells

METHODS = {"multilevel": multilevel, "none": None}
Colour = Sequence[float]


@overload
def estimate_foreground(
    image: Tensor,
    alpha: Tensor,
    method: str = ...,
    return_background: Literal[False] = ...,
    *,
    fill: Colour | None = ...,
    opacity: Tensor | None = ...,
) -> Tensor: ...
@overload
def estimate_foreground(
    image: Tensor,
    alpha: Tensor,
    method: str = ...,
    *,
    return_background: Literal[True],
    fill: Colour | None = ...,
    opacity: Tensor | None = ...,
) -> tuple[Tensor, Tensor]: ...
def estimate_foreground(
    image: Tensor,
    alpha: Tensor,
    method: str = "multilevel",
    return_background: bool = False,
    *,
    fill: Colour | None = None,
    opacity: Tensor | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    """The subject's own colours, for a straight-alpha cut-out or a composite over something new.

    Guaranteed for the foreground, for each picture of a batch apart:
    - alpha (or its share of the opacity) at least unknown_region.OPAQUE (1 in an 8-bit file): the image's value, bit
      for bit;
    - between: the estimate, computed in float32, within [0,1];
    - alpha under unknown_region.HIDDEN (0 in an 8-bit file): `fill`, or a smooth continuation of the visible foreground
      colours (fill_hidden), with every method;
    - hidden pixels farther than unknown_region.REACH = 15 px (rows and columns counted apart) from every pixel between
      have no influence on any value returned. Nearer ones serve as samples of the background and have an influence only
      through the estimate at those pixels.
    The background is the mirror image: the image where alpha is 0, a smooth continuation where alpha is 1.

    Args:
        image: [B,3,H,W], 0..1, any float dtype and device.
        alpha: [B,1,H,W], 0..1, of the image's size; batches equal or one.
        method: "multilevel" (after Germer et al., ICPR 2020) or "none" (the image's colours wherever they can be seen).
        return_background: whether the background's colours are wanted too.
        fill: three values 0..1 for the foreground where nothing can be seen of it; None: a smooth continuation.
        opacity: [B,1,H,W], 0..1, for an image that is transparent itself: its straight colours are taken as they are
            where alpha reaches the opacity, as a mixture by the share alpha / opacity elsewhere, and as nothing where
            the opacity is 0.

    Returns:
        The foreground [B,3,H,W] in the image's dtype; with return_background, (foreground, background).

    Raises:
        InputError: bad shapes or sizes, an unknown method, alpha or opacity outside [0,1], NaN or infinity.
    """
    if method not in METHODS:
        raise InputError(f"method must be {', '.join(METHODS)}; got {method!r}")
    estimate = METHODS[method]
    _check_sizes(image, alpha, "alpha")
    image, alpha = match_batch(image.detach(), alpha.detach(), "image", "alpha")
    if opacity is not None:
        _check_sizes(image, opacity, "opacity")
        image, opacity = match_batch(image, opacity.detach(), "image", "opacity")
        alpha, _ = match_batch(alpha, image, "alpha", "opacity")
    foreground = torch.empty(image.shape, dtype=image.dtype, device=image.device)
    background = torch.empty_like(foreground) if return_background else None
    for i in range(len(image)):
        outs = [foreground[i]] if background is None else [foreground[i], background[i]]
        visible = alpha[i, 0].to(device=image.device, dtype=torch.float32)
        picture, share = image[i], visible
        if opacity is not None:
            picture, visible, share = _transparent(picture, visible, opacity[i, 0])
        cells = _begin(picture, share, outs)
        if estimate is not None and bool(cells.any()):
            estimate(picture, share, cells, partial(_put, outs, share))
        fill_one(outs[0], visible, fill)
        if background is not None:
            fill_one(outs[1], 1 - share)
    return foreground if background is None else (foreground, background)


def _transparent(picture: Tensor, alpha: Tensor, opacity: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of a photograph [3,H,W] that is transparent itself, with alpha and opacity [H,W]: its colours, continued to where
    it has none; how much of the subject is visible; the subject's share of the colour."""
    opacity = _unit(opacity.to(alpha), "opacity")
    visible = torch.minimum(_unit(alpha, "alpha"), opacity)
    picture = check_finite(picture).clone(memory_format=torch.contiguous_format)
    fill_one(picture, opacity)
    return picture, visible, within(alpha, opacity)


def _check_sizes(image: Tensor, alpha: Tensor, name: str) -> None:
    check_image(image)
    check_alpha(alpha, name)
    if image.shape[-2:] != alpha.shape[-2:]:
        raise InputError(
            f"{name} is {alpha.shape[-1]}x{alpha.shape[-2]} and the image {image.shape[-1]}x{image.shape[-2]}; "
            f"resize the {name} to the image"
        )


def _unit(x: Tensor, name: str) -> Tensor:
    """x if its values lie in 0..1; else InputError."""
    low, high = (float(v) for v in x.aminmax())
    if not (low >= 0 and high <= 1):
        check_finite(x, name)
        raise InputError(f"{name} must lie in 0..1; got {low:.4g}..{high:.4g}; clamp it")
    return x


def _begin(image: Tensor, alpha: Tensor, outs: list[Tensor]) -> Tensor:
    """Check the values, copy the image to the outputs, find the unsure cells: one pass. Returns unsure_cells(alpha).

    A tile where an output's colours are all hidden is left as it is: the fill writes it.
    """
    height, width = alpha.shape
    cells = torch.zeros(-(-height // CELL), -(-width // CELL), dtype=torch.bool, device=alpha.device)
    for top, bottom, left, right in tiles(height, width, tile_side(alpha.device)):
        matte, part = alpha[top:bottom, left:right], image[:, top:bottom, left:right]
        low, high = (float(x) for x in matte.aminmax())
        if not (low >= 0 and high <= 1):
            _unit(alpha, "alpha")
        check_finite(part)
        for out, most in zip(outs, (high, 1 - low)):
            if most >= 0.9 * HIDDEN:  # less, since the fill may round 1 - alpha otherwise
                out[:, top:bottom, left:right] = part
        if low < high or 0 < low < 1:
            cells[top // CELL : -(-bottom // CELL), left // CELL : -(-right // CELL)] = unsure_cells(matte)
    return cells


def _put(outs: list[Tensor], alpha: Tensor, window: Window, colours: Tensor) -> None:
    """Write a window's foreground, and background if wanted, where alpha is unsure."""
    top, bottom, left, right = window
    mixed = unsure(alpha[top:bottom, left:right])
    for out, part in zip(outs, (colours[:3], colours[3:])):
        old = out[:, top:bottom, left:right]
        old.lerp_(part.to(old.dtype), mixed.to(old.dtype))  # exact for 0 and 1, and faster than torch.where
