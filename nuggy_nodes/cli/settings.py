"""--recipe, and an option for every setting of a recipe, made of its declaration (core/settings.py)."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..core.recipes import Recipe
    from ..core.settings import Setting


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a subcommand the options."""
    from ..core.recipes import ALIASES, RECIPES, SETTINGS

    group = parser.add_argument_group("recipe", "named settings, and each setting on its own")
    names = (*RECIPES, *ALIASES)
    told_as = f"one of {', '.join(names)} (default: default, which is balanced; seed is demo)"
    group.add_argument("--recipe", choices=names, metavar="NAME", default="default", help=told_as)
    for told in SETTINGS.values():
        option = "--" + told.name.replace("_", "-")
        if told.kind is tuple:
            group.add_argument(option, nargs="+", metavar="VIEW", help=described(told))
        else:
            group.add_argument(option, metavar=told.kind.__name__.upper(), help=described(told))


def described(told: Setting) -> str:
    """A setting's help with its choices or range, its unit and the values that the recipes have."""
    from ..core.recipes import RECIPES

    text = told.help
    if told.allowed:
        text += f" {told.allowed}" + (f" {told.unit}" if "px" in told.unit else "") + "."
    values: dict[str, list[str]] = {}
    for r in RECIPES.values():
        if r.name != "demo":
            value = getattr(r, told.name)
            shown = " ".join(map(str, value)) if told.kind is tuple else f"{value:g}" if told.kind is float else value
            values.setdefault(str(shown), []).append(r.name)
    if len(values) == 1:
        text += f" (default: {next(iter(values))})"
    else:
        text += " (" + "; ".join(f"{', '.join(names)}: {value}" for value, names in values.items()) + ")"
    return text.replace("%", "%%")


def recipe_of(args: argparse.Namespace) -> Recipe:
    """The recipe that the options ask for. Raises InputError, in one sentence, before anything is loaded."""
    from ..core.errors import InputError
    from ..core.recipes import SETTINGS, recipe
    from ..core.segment.views import parse_view

    changes: dict[str, Any] = {}
    for told in SETTINGS.values():
        text = getattr(args, told.name, None)
        if text is None:
            continue
        if told.kind is tuple:
            changes[told.name] = tuple(parse_view(v) for v in text)
        elif told.kind is str:
            changes[told.name] = text
        else:
            try:
                changes[told.name] = float(text)
            except ValueError:
                raise InputError(f"{told.name} must be a number; got {text!r}") from None
    return recipe(args.recipe, **changes)
