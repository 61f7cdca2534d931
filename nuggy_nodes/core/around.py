"""Recipes around another network than IS-Net, with which their views were measured."""

from __future__ import annotations

from dataclasses import replace

from .errors import InputError
from .network.protocol import Form
from .recipes import RECIPES, Recipe, views

# Around another network than IS-Net, with which the views above were measured: first the view that its authors would
# take, and whatever comes after it changes nothing where it agrees (consensus.majority). 1024 stands for its own size.
ELSEWHERE = {
    "fast": views("1024"),
    "balanced": views("1024 1024f 768fp15"),
    "best": views("1024 1024f 768fp15 1280p15"),
}


def around(recipe: Recipe, form: Form) -> Recipe:
    """A recipe for another network: its own views and combine, where they are the named recipe's, give way to those for
    networks that it was not measured with; all that was changed stays.

    Args:
        recipe: as chosen.
        form: of the network.

    Returns:
        The recipe; itself for IS-Net.

    Raises:
        InputError: `demo`, which is IS-Net's alone.
    """
    if form.measured:
        return recipe
    if recipe.name == "demo":
        raise InputError("the demo's recipe is IS-Net's alone; take fast, balanced or best with another network")
    named = RECIPES.get(recipe.name)
    if named is None or recipe.views != named.views:
        return recipe
    combine = "majority" if recipe.combine == named.combine else recipe.combine
    return replace(recipe, views=ELSEWHERE[recipe.name], combine=combine)
