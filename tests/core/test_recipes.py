"""Recipes: the shipped ones are pinned, wrong ones are refused."""

from __future__ import annotations

import inspect

import pytest

from nuggy_nodes.core import RECIPES, InputError, recipe
from nuggy_nodes.core.recipes import SETTINGS


def test_recipes():
    assert {"demo", "fast", "balanced", "best"} <= set(RECIPES)
    assert recipe("fast", black=0.3).black == 0.3 and recipe("fast").black != 0.3
    assert recipe("default") == RECIPES["balanced"] and recipe("seed") == RECIPES["demo"]  # names of before


def test_shipped_recipes_are_pinned():
    """Whoever changes a default changes this too, and the table in benchmarks/RESULTS.md."""
    usual = {"guide": "colour", "radius": 20.0, "epsilon": 1e-4, "passes": 1, "black": 0.1, "white": 0.9, "gamma": 1.0,
             "detail": 0.75, "islands": "subject", "threshold": 0.1, "min_area": 0.002, "min_reach": 0.02,
             "min_peak": 0.5,
             "max_hole": 0.0, "shift_edge": 0.0, "feather": 0.0, "foreground": "multilevel",
             "fill": "smooth"}  # fmt: skip
    pinned = {
        "fast": usual | {"views": "1024", "combine": "mean", "looks": 1, "detail": 0.0},
        "balanced": usual | {"views": "896 896f 640fp15 640p15d 1024p15d 1024fp15d", "combine": "regions", "looks": 1},
        "best": usual | {"views": "896 896f 640p15 640fp15 1024p15 1024fp15", "combine": "regions", "looks": 2},
        "demo": usual | {"views": "1024 1024f", "combine": "mean", "looks": 1, "guide": "grey", "radius": 4.0,
                         "threshold": 0.2, "min_area": 0.001, "gamma": 0.5, "black": 0.0, "white": 1.0,
                         "detail": 0.0, "foreground": "none"},
    }  # fmt: skip
    assert list(RECIPES) == list(pinned)
    for name, values in pinned.items():
        got = {s: getattr(RECIPES[name], s) for s in SETTINGS} | {"views": " ".join(map(str, RECIPES[name].views))}
        assert got == values, name


@pytest.mark.parametrize(
    "which,changes,word",
    [
        ("none", {}, "fast"),
        ("fast", {"blur": 1}, "blur"),
        ("fast", {"guide": "red"}, "guide"),
        ("fast", {"passes": 0}, "passes"),
        ("fast", {"views": ()}, "view"),
        ("fast", {"foreground": "best"}, "foreground must be one of multilevel"),
        ("fast", {"fill": "red wine"}, "fill must be smooth"),
    ],
)
def test_wrong_recipes(which, changes, word):
    with pytest.raises(InputError, match=word):
        recipe(which, **changes)


def test_a_part_is_what_its_step_takes_and_every_setting_has_one():
    from nuggy_nodes.core.foreground.estimate import METHODS
    from nuggy_nodes.core.refine.edge import adjust_edge
    from nuggy_nodes.core.refine.islands import remove_islands
    from nuggy_nodes.core.refine.refine import refine
    from nuggy_nodes.core.segment.closer_look import look

    one = recipe("best", radius=7)
    for name, step in (("look", look), ("edge", refine), ("islands", remove_islands), ("mask", adjust_edge)):
        part = one.part(name)
        assert part and part.keys() <= inspect.signature(step).parameters.keys()
        assert part == {k: getattr(one, k) for k in part}
    parts = [one.part(n).keys() for n in ("look", "edge", "islands", "mask", "colours")]
    assert sorted(k for p in parts for k in p) == sorted(SETTINGS)
    assert set(SETTINGS["foreground"].choices) == set(METHODS)


def test_the_fill_is_smooth_or_a_colour():
    assert recipe("fast").fill_colour is None
    assert recipe("fast", fill="#336699").fill_colour == (0.2, 0.4, 0.6)
    with pytest.raises(InputError, match="black must be below white; got black 0.9 and white 0.9"):
        recipe("fast", black=0.9)
