"""Recipes: named settings of the whole pipeline. A caller takes one by name and changes what it must."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from .composite import parse_colour
from .errors import InputError
from .foreground import METHODS
from .predict import PAIR, View, parse_view

WHOLE = 0.3  # a subject of this share of the photograph gets the full radius


def fullness(share: float) -> float:
    """How far a subject of this share of the photograph fills it: 1 from WHOLE on, in proportion below; least 0.15."""
    return min(max(share / WHOLE, 0.15), 1.0)


def setting(default: Any, help: str) -> Any:
    """A field of Recipe; its help is what the command line, the nodes and the GIMP dialog show."""
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class Recipe:
    """Every setting from photograph to cut-out, in the order in which they work.

    The views go to predict.predict, looks to closer_look.look, radius and epsilon to guided.guided_filter at the
    photograph's full size, black, white and gamma to levels.levels, the rest up to max_hole to islands.remove_islands;
    foreground and fill to foreground.estimate_foreground, when colours are asked for.
    """

    name: str
    views: tuple[View, ...] = setting(
        PAIR,
        "what the network is shown: SIZE[f][pPERCENT] each, f for mirrored, p for a border continued by PERCENT of the "
        "photograph's side",
    )
    combine: str = setting("mean", "how the views' answers become one")
    looks: int = setting(
        1,
        "2: unsure parts of a photograph from 2048 pixels on are shown to the network again, larger; 3: and once more, "
        "larger still, from 3072 pixels on",
    )
    guide: str = setting("colour", "guided filter at the photograph's size: colour, grey or none")
    radius: float = setting(
        20.0, "its radius, in pixels of a photograph whose long side is 1024; scaled with photograph and subject"
    )
    epsilon: float = setting(1e-4, "its epsilon: squared contrast of the photograph under which an edge is smoothed")
    passes: int = setting(1, "how often it runs, levels in between: 1 to 3")
    black: float = setting(0.1, "alpha at and below this becomes 0")
    white: float = setting(0.9, "alpha at and above this becomes 1")
    gamma: float = setting(1.0, "exponent on alpha; below 1 lifts half-transparent parts")
    islands: str = setting("subject", "parts to keep: subject (large ones and strands), largest (one), all")
    threshold: float = setting(0.1, "alpha above which a pixel belongs to a part")
    min_area: float = setting(0.002, "a part is kept from this share of the picture's pixels")
    min_reach: float = setting(0.02, "a slender part is kept from this share of the picture's diagonal")
    min_peak: float = setting(0.5, "a part is kept only if its alpha reaches this somewhere")
    max_hole: float = setting(0.0, "holes up to this share of the picture's pixels are filled; 0 fills none")
    foreground: str = setting(
        "multilevel",
        "colours of soft edges, freed of the background: multilevel, blur-fusion (coarser), or none (as photographed)",
    )
    fill: str = setting("smooth", "colours where alpha is 0: smooth (the subject's, continued) or a colour, #rrggbb")

    def __post_init__(self) -> None:
        if self.guide not in ("colour", "grey", "none"):
            raise InputError(f"guide must be colour, grey or none; got {self.guide!r}")
        if not 1 <= self.passes <= 3:
            raise InputError(f"passes must be 1, 2 or 3; got {self.passes}")
        if not 1 <= self.looks <= 3:
            raise InputError(f"looks must be 1, 2 or 3; got {self.looks}")
        if not self.views:
            raise InputError("a recipe needs at least one view")
        if self.foreground not in METHODS:
            raise InputError(f"foreground must be {', '.join(METHODS)}; got {self.foreground!r}")
        try:
            _ = self.fill_colour
        except InputError as e:
            raise InputError(f"fill must be smooth or a colour: {e}") from None

    @property
    def fill_colour(self) -> tuple[float, ...] | None:
        """`fill` as estimate_foreground takes it."""
        return None if self.fill == "smooth" else parse_colour(self.fill)

    def radius_for(self, height: int, width: int, share: float = 1.0) -> int:
        """The guided filter's radius in whole pixels for a photograph of this size; at least 1.

        share: the subject's part of the photograph. Below WHOLE the radius shrinks with it (`fullness`): a window wider
        than a subject's parts smears them, and what is small has edges that the grid tells well enough.
        """
        return max(round(self.radius * fullness(share) * max(height, width) / 1024), 1)

    def levels_for(self, done: int) -> tuple[float, float]:
        """Black and white point after the guided filter's pass number `done` (0 first); later ones are gentler."""
        return self.black / 2**done, 1 - (1 - self.white) / 2**done


def views(text: str) -> tuple[View, ...]:
    """Views written as predict.parse_view reads them, with spaces between."""
    return tuple(parse_view(v) for v in text.split())


# The seed's recipe runs in seed.py; of its settings here only these can be changed: radius (pixels at 1024), epsilon,
# threshold (its cutoff), min_area, gamma, foreground, fill.
RECIPES = {
    r.name: r
    for r in (
        # views are chosen by benchmarks/RESULTS.md; work in passes of 1024x1024: 0.8, 1.9, 3.5
        Recipe("fast", views=views("896f")),
        Recipe("balanced", views=views("896 896f 640fp15"), combine="regions"),
        Recipe("best", views=views("896 896f 1024p15 1024fp15"), combine="regions", looks=3, passes=2),
        Recipe(
            "seed",
            guide="grey",
            radius=4,
            threshold=0.2,
            min_area=0.001,
            gamma=0.5,
            black=0.0,
            white=1.0,
            foreground="none",
        ),
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
