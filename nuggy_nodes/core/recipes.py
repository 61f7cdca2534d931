"""Recipes: named settings of the whole pipeline. A caller takes one by name and changes what it must."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .errors import InputError
from .predict import PAIR, View


@dataclass(frozen=True)
class Recipe:
    """Every setting from photograph to alpha, in the order in which they work.

    views, combine: what the network is shown, and how its answers become one (predict.View, consensus.combine).
    guide: "colour", "grey" or "none", the guided filter at the photograph's full size; radius in pixels of a
    photograph whose long side is 1024, scaled with the photograph; epsilon as in guided.guided_filter.
    black, white, gamma: levels.levels. islands: what islands.remove_islands keeps ("all": nothing is removed), with
    threshold, min_area, min_reach, min_peak, max_hole.
    """

    name: str
    views: tuple[View, ...] = PAIR
    combine: str = "mean"
    guide: str = "colour"
    radius: float = 20.0
    epsilon: float = 1e-4
    black: float = 0.1
    white: float = 0.9
    gamma: float = 1.0
    islands: str = "subject"
    threshold: float = 0.1
    min_area: float = 0.002
    min_reach: float = 0.02
    min_peak: float = 0.5
    max_hole: float = 0.0

    def __post_init__(self) -> None:
        if self.guide not in ("colour", "grey", "none"):
            raise InputError(f"guide must be colour, grey or none; got {self.guide!r}")
        if not self.views:
            raise InputError("a recipe needs at least one view")

    def radius_for(self, height: int, width: int) -> int:
        """The guided filter's radius in whole pixels for a photograph of this size; at least 1."""
        return max(round(self.radius * max(height, width) / 1024), 1)


# The seed's recipe runs in seed.py; of its settings here only these can be changed: radius (pixels at 1024), epsilon,
# threshold (its cutoff), min_area, gamma.
RECIPES = {
    r.name: r
    for r in (
        Recipe("fast", views=(View(1024),)),
        Recipe("balanced"),
        Recipe("best"),
        Recipe("seed", guide="grey", radius=4, threshold=0.2, min_area=0.001, gamma=0.5, black=0.0, white=1.0),
    )
}
RECIPES["default"] = RECIPES["balanced"]


def recipe(which: str | Recipe = "default", **changes: Any) -> Recipe:
    """A recipe by name with some settings changed. Unknown names and settings out of range raise InputError."""
    if isinstance(which, str):
        if which not in RECIPES:
            raise InputError(f"there is no recipe {which!r}; choose from {', '.join(RECIPES)}")
        which = RECIPES[which]
    try:
        return replace(which, **changes)
    except TypeError as e:
        raise InputError(f"not a setting of a recipe: {e}") from e
