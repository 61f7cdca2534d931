"""Recipes: named settings of the whole pipeline. A caller takes one by name and changes what it must."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .errors import InputError
from .ops.colour import parse_colour
from .segment.views import PAIR, View, parse_view
from .settings import CONTRAST, PIXELS, PIXELS_AT_1024, SHARE, Setting, listed, setting, settings_of

SETTINGS: dict[str, Setting] = {}  # by name, in the order in which they work


@dataclass(frozen=True)
class Recipe:
    """Every setting from photograph to cut-out, in the order in which they work; `part` of each names the step.

    views, combine, looks: segment.closer_look.look. edge: refine.refine.refine, at the photograph's full size.
    islands: refine.islands.remove_islands. mask: refine.edge.adjust_edge. colours:
    foreground.estimate_foreground, when colours are asked for.
    """

    name: str
    # fmt: off
    views: tuple[View, ...] = setting(PAIR, "views", "look",
        "What the network is shown: one or more of SIZE, then f for mirrored, then p and a percentage for a "
        "border continued outward, then d to be asked only where the others contradict each other. For example: 1024 "
        "1024f 768fp15 640d. SIZE is a multiple of 32 from 256 to 4096.",
        advanced=True)
    combine: str = setting("mean", "combine", "look",
        "How the views become one mask: regions decides part by part which view to believe; mean averages; max "
        "keeps what any view found; majority keeps the first view but where most of the others outvote it.",
        choices=("regions", "mean", "max", "majority"), advanced=True)
    looks: int = setting(1, "looks", "look",
        "How closely a photograph is looked at: 2 shows it to the network once more, larger, and of one from 2048 "
        "pixels on the unsure parts, larger still; 3 those again, from 3072 pixels on.",
        minimum=1, maximum=3, step=1, advanced=True)
    guide: str = setting("colour", "guide", "edge",
        "colour follows edges between colours of equal brightness too; grey is faster; none only resizes the mask "
        "and applies the levels.",
        choices=("colour", "grey", "none"), advanced=True)
    radius: float = setting(20.0, "radius", "edge",
        "How far from the mask's edge the picture is consulted, in pixels of a picture whose long side is 1024. "
        "It grows with the picture, shrinks for a small subject and is a third of it at hard edges, so a setting holds "
        "for every picture.",
        minimum=0.5, maximum=128, step=0.5, unit=PIXELS_AT_1024)
    epsilon: float = setting(1e-4, "edge contrast", "edge",
        "Contrast of the picture (squared) below which there is no edge to follow. Smaller follows finer "
        "structure and more noise.",
        minimum=1e-6, maximum=1, step=1e-5, unit=CONTRAST, slider=0.09, advanced=True)
    passes: int = setting(1, "passes", "edge",
        "How often the filter runs, levels in between. 1 is usual; 2 follows finer structure and takes twice the "
        "time.",
        minimum=1, maximum=3, step=1, advanced=True)
    black: float = setting(0.1, "black", "edge",
        "The mask at and below this becomes 0. Raise it when a veil of background is left. Below white.",
        minimum=0, maximum=0.99, step=0.01, unit=SHARE)
    white: float = setting(0.9, "white", "edge",
        "The mask at and above this becomes 1. Lower it when the subject is see-through. Above black.",
        minimum=0.01, maximum=1, step=0.01, unit=SHARE)
    gamma: float = setting(1.0, "gamma", "edge",
        "Exponent on the mask between black and white. Below 1 strengthens half-transparent parts, above 1 "
        "weakens them.",
        minimum=0.1, maximum=4, step=0.05, advanced=True)
    detail: float = setting(0.75, "detail", "edge",
        "How far a small network, trained on hair, fur, meshes and edges, corrects what the guided filter left; 0 "
        "switches it off.",
        minimum=0, maximum=1, step=0.05)
    islands: str = setting("subject", "keep", "islands",
        "subject keeps large parts and long strands; largest keeps one part only; all keeps every part (for "
        "filling holes only).",
        choices=("subject", "largest", "all"))
    threshold: float = setting(0.1, "threshold", "islands",
        "Where the mask is above this, a pixel belongs to a part. Soft edges beside a kept part stay as they are.",
        minimum=0, maximum=0.99, step=0.01, unit=SHARE, advanced=True)
    min_area: float = setting(0.002, "min area", "islands",
        "A part is kept from this share of the picture's pixels on. 0.002 (0.2 %) is a square of 46 pixels in a "
        "picture of 1024 by 1024.",
        minimum=0, maximum=1, step=0.0005, unit=SHARE, slider=0.1)
    min_reach: float = setting(0.02, "min reach", "islands",
        "A slender part (a hair, a string) is kept from this share of the picture's diagonal on, however few "
        "pixels it has.",
        minimum=0, maximum=1, step=0.005, unit=SHARE, slider=0.5, advanced=True)
    min_peak: float = setting(0.5, "min peak", "islands",
        "A part is kept only if the mask reaches this somewhere in it. Faint clouds go, however large they are.",
        minimum=0, maximum=1, step=0.05, unit=SHARE, advanced=True)
    max_hole: float = setting(0.0, "max hole", "islands",
        "Holes in the subject up to this share of the picture's pixels are filled. 0 fills none, which keeps nets "
        "and spokes open.",
        minimum=0, maximum=1, step=0.0005, unit=SHARE, slider=0.1)
    shift_edge: float = setting(0.0, "shift edge", "mask",
        "Moves the mask's edge, in pixels of the picture and parts of one: below 0 inward, which takes off a rim of "
        "the background and keeps strands; above 0 outward.",
        minimum=-20, maximum=20, step=0.25, unit=PIXELS)
    feather: float = setting(0.0, "feather", "mask",
        "Softens the mask's edge: standard deviation of a Gaussian blur, in pixels of the picture.",
        minimum=0, maximum=50, step=0.5, unit=PIXELS)
    foreground: str = setting("multilevel", "foreground colours", "colours",
        "Colours of soft edges: multilevel takes the old background's colour out of them; none keeps the "
        "picture's own, for one that was cut out before. Where the mask is 0, the subject's colours are continued "
        "with both.",
        choices=("multilevel", "none"), aliases={"blur-fusion": "multilevel"})
    fill: str = setting("smooth", "hidden colours", "colours",
        "Colours where the mask is 0, which a program may show after all: smooth continues the subject's; or a "
        "colour, #rrggbb.",
        advanced=True)
    # fmt: on

    def __post_init__(self) -> None:
        for told in SETTINGS.values():
            object.__setattr__(self, told.name, told.check(getattr(self, told.name)))
        if not self.views or not all(isinstance(v, View) for v in self.views):
            raise InputError(f"views must be one or more View; got {self.views!r}")
        if not self.black < self.white:
            raise InputError(f"black must be below white; got black {self.black:g} and white {self.white:g}")
        try:
            _ = self.fill_colour
        except InputError as e:
            raise InputError(f"fill must be smooth or a colour; {e}") from None

    def part(self, name: str) -> dict[str, Any]:
        """The settings that one step of the pipeline takes.

        Args:
            name: of the part: look, edge, islands, mask or colours.

        Returns:
            Values by the settings' names.
        """
        return {s.name: getattr(self, s.name) for s in SETTINGS.values() if s.part == name}

    @property
    def fill_colour(self) -> tuple[float, ...] | None:
        """`fill` as estimate_foreground takes it."""
        return None if self.fill == "smooth" else parse_colour(self.fill)


SETTINGS.update(settings_of(Recipe))


def views(text: str) -> tuple[View, ...]:
    """Views as text.

    Args:
        text: as views.parse_view reads each, with spaces between.

    Returns:
        The views.

    Raises:
        InputError: a word that is no view.
    """
    return tuple(parse_view(v) for v in text.split())


# The demo's recipe runs in demo.py; of its settings here only these can be changed: radius (pixels at 1024), epsilon,
# threshold (its cutoff), min_area, gamma, foreground, fill.
# fmt: off
RECIPES = {
    r.name: r
    for r in (
        # views are chosen by benchmarks/RESULTS.md; work in passes of 1024x1024: 1; 1.5 to 1.9,
        # 4.3 in doubt; 1.5 or 4.3, and 2.5 or up to 9 more
        Recipe("fast", views=views("1024"), detail=0.0),
        Recipe("balanced", views=views("896 896f 640fp15 640p15d 1024p15d 1024fp15d"), combine="regions"),
        Recipe("best", views=views("896 896f 640p15 640fp15 1024p15 1024fp15"), combine="regions", looks=2),
        Recipe("demo", guide="grey", radius=4, threshold=0.2, min_area=0.001, gamma=0.5, black=0.0, white=1.0,
               detail=0.0, foreground="none"),
    )
}
# fmt: on
ALIASES = {"default": "balanced", "seed": "demo"}  # a random seed is something else; the name of 0.1 still works


def recipe(which: str | Recipe = "default", **changes: Any) -> Recipe:
    """A recipe with some settings changed.

    Args:
        which: a name of RECIPES or ALIASES, or a Recipe.
        **changes: settings by their names.

    Returns:
        The recipe.

    Raises:
        InputError: an unknown name or setting, or a value out of range.
    """
    if isinstance(which, str):
        which = ALIASES.get(which, which)
        if which not in RECIPES:
            raise InputError(f"there is no recipe {which!r}; choose from {', '.join((*RECIPES, *ALIASES))}")
        which = RECIPES[which]
    unknown = changes.keys() - SETTINGS.keys()
    if unknown:
        raise InputError(f"{listed(sorted(unknown))} is not a setting of a recipe; there are {', '.join(SETTINGS)}")
    return replace(which, **changes)
