"""A photograph as two layers: the subject's own colours, and the background as if the subject were not there."""

from __future__ import annotations

from torch import Tensor

from .estimate import estimate_foreground
from .fill_hidden import fill_hidden

COVERED = 0.75  # alpha above which too little of the background shows to tell its colour


def layers(image: Tensor, alpha: Tensor, method: str = "multilevel") -> tuple[Tensor, Tensor]:
    """A photograph's foreground and background.

    As estimate_foreground gives them (its guarantees and errors hold), but the background of pixels with alpha above
    COVERED, where the estimate is the remainder of two nearly equal numbers, is continued smoothly from where it can be
    seen. A photograph that is covered wholly keeps the estimate's background.

    Args:
        image: [B,3,H,W], 0..1.
        alpha: [B,1,H,W], 0..1.
        method: estimate_foreground's.

    Returns:
        Foreground and background colours, [B,3,H,W] each.
    """
    foreground, background = estimate_foreground(image, alpha, method, return_background=True)
    seen = 1 - alpha.to(background.device).float()
    if not bool((seen >= 1 - COVERED).flatten(1).any(1).all()):
        return foreground, background
    return foreground, fill_hidden(background, seen, below=1 - COVERED)
