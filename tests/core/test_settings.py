"""A setting said once: its declaration decides what is taken, and what the doors show is made of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nuggy_nodes.core import InputError, recipe
from nuggy_nodes.core.recipes import RECIPES, SETTINGS

ROOT = Path(__file__).parents[2]
NUMBERS = [s for s in SETTINGS.values() if s.kind in (int, float)]


@pytest.mark.parametrize("told", NUMBERS, ids=lambda s: s.name)
def test_both_ends_of_a_range_are_taken_and_nothing_beyond(told):
    other = {"black": {"white": 1.0}, "white": {"black": 0.0}}.get(told.name, {})
    for end in (told.minimum, told.maximum):
        assert getattr(recipe("fast", **{told.name: end, **other}), told.name) == end
    step = 1 if told.kind is int else 1e-6
    for beyond in (told.minimum - step, told.maximum + step, float("nan"), float("inf"), "1", None, True):
        with pytest.raises(InputError, match=told.name):
            recipe("fast", **{told.name: beyond})


@pytest.mark.parametrize("told", [s for s in SETTINGS.values() if s.choices], ids=lambda s: s.name)
def test_choices(told):
    for word in told.choices:
        assert getattr(recipe("fast", **{told.name: word}), told.name) == word
    for wrong in ("xyz", "", 1, None):
        with pytest.raises(InputError, match=told.name):
            recipe("fast", **{told.name: wrong})


def test_every_setting_is_declared_whole():
    for told in SETTINGS.values():
        assert told.label and told.help.endswith(".") and told.part in ("look", "edge", "islands", "mask", "colours")
        if told.kind in (int, float):
            assert told.minimum is not None and told.minimum < told.maximum and told.step, told.name
        for r in RECIPES.values():
            assert told.check(getattr(r, told.name)) == getattr(r, told.name)


def test_whole_numbers_serve_as_numbers_and_back():
    assert recipe("fast", radius=7).radius == 7.0 and isinstance(recipe("fast", radius=7).radius, float)
    assert recipe("fast", passes=2.0).passes == 2 and isinstance(recipe("fast", passes=2.0).passes, int)
    with pytest.raises(InputError, match="passes must be a whole number"):
        recipe("fast", passes=1.5)


def test_words_of_an_earlier_release():
    assert recipe("fast", foreground="blur-fusion").foreground == "multilevel"


def test_settings_are_read_without_torch():
    code = (
        "import sys; from nuggy_nodes.core import recipe; recipe('best', radius=3); assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
