"""What is shown at once while the whole cut-out is being made anew: the same steps on the photograph made smaller."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from ..core import Recipe
from ..core.guided_answer import Seen
from ..core.ops.resample import enlarge

SIDE = 1024  # pixels of the longer side
SOON = 4e6  # pixels whose steps after the network nobody waits for
LEARNED = 3  # times the work where the learned refinement takes part (benchmarks/RESULTS.md)


def slow(seen: Seen, recipe: Recipe) -> bool:
    """Whether the steps after the network take so long that a sketch comes before them."""
    height, width = seen.images.shape[-2:]
    return height * width * (LEARNED if recipe.detail else 1) > SOON and max(height, width) > SIDE


def smaller(seen: Seen) -> Seen:
    """What was seen, of the photograph with a longer side of SIDE pixels; the network's answer is the same."""
    height, width = seen.images.shape[-2:]
    by = SIDE / max(height, width)
    size = max(round(height * by), 1), max(round(width * by), 1)

    def shrunk(x: Tensor) -> Tensor:
        return enlarge(x.float(), *size)

    photographs = shrunk(seen.photographs)
    images = photographs if seen.images is seen.photographs else shrunk(seen.images)
    opacity = None if seen.opacity is None else shrunk(seen.opacity)
    return replace(seen, images=images, photographs=photographs, opacity=opacity, alpha=None, islands=[], boxes={})
