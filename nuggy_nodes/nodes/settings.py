"""Inputs made of the recipe's declared settings, and the recipe that a mask carries from node to node.

A mask of Nuggy TTA Mask knows the recipe that it was made with. A node after it takes that recipe's settings, unless
another recipe is chosen on the node; an input that was moved from where it stands by default counts before the recipe.
So the nodes as they come give what `cutout` gives, whatever recipe is chosen on the first of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..core.recipes import RECIPES, SETTINGS, Recipe, recipe
from .compat import advanced

AS_THE_MASK = "as the mask's"
CHOICES = [AS_THE_MASK, "fast", "balanced", "best"]
USUAL = RECIPES["balanced"]  # what inputs show by default
RENAMED = {"keep": "islands"}  # inputs whose name is not the setting's
FINISHED = "nuggy_finished"  # attribute of a mask that has its edges and no islands already
CARRIED = "nuggy_recipe"  # attribute of a mask's tensor; another node's mask lacks it


def setting_of(name: str) -> str:
    """The setting behind an input.

    Args:
        name: the input's.

    Returns:
        The setting's name, mostly the same.
    """
    return RENAMED.get(name, name)


def setting_input(name: str, optional: bool = False) -> io.Input:
    """The input for a setting.

    Args:
        name: the input's.
        optional: it is younger than its node, so that prompts stored without it still run.

    Returns:
        The input, with the setting's range and the usual recipe's value.
    """
    told = SETTINGS[setting_of(name)]
    more: dict[str, Any] = {"default": getattr(USUAL, told.name)}
    if optional:
        more["optional"] = True
    made: io.Input
    if told.kind is str:
        made = io.Combo.Input(name, options=list(told.choices), **more)
    else:
        more |= {"min": told.minimum, "max": told.maximum, "step": told.step}
        if told.kind is float:
            made = io.Float.Input(name, round=min(told.step or 1e-2, 1e-5), **more)
        else:
            made = io.Int.Input(name, **more)
    return advanced(made) if told.advanced else made


def recipe_input() -> io.Input:
    """Which recipe the node's settings are of."""
    return io.Combo.Input("recipe", options=CHOICES, default=AS_THE_MASK, optional=True)


def carry(mask: Tensor, name: str | None) -> Tensor:
    """Have a node's mask know its recipe.

    Args:
        mask: MASK.
        name: the recipe's, or None.

    Returns:
        The same mask.
    """
    if name:
        setattr(mask, CARRIED, name)
    return mask


def finish(mask: Tensor) -> Tensor:
    """Have the nodes after this one leave its mask as it is, but for what is moved on them.

    Args:
        mask: MASK.

    Returns:
        The same mask.
    """
    setattr(mask, FINISHED, True)
    return mask


def nothing_to_do(mask: Tensor, chosen: str, given: Mapping[str, Any]) -> bool:
    """Whether a mask is finished already, and no recipe was chosen and no input moved for it.

    Args:
        mask: MASK.
        chosen: the node's `recipe`.
        given: inputs by name, of settings only.

    Returns:
        Whether the node gives it on as it is.
    """
    same = chosen == AS_THE_MASK and effective(mask, chosen, given) == effective(mask, chosen, {})
    return same and getattr(mask, FINISHED, False)


def carried(mask: Tensor, chosen: str = AS_THE_MASK) -> str:
    """The recipe that a node works by.

    Args:
        mask: MASK.
        chosen: the node's `recipe`.

    Returns:
        The recipe's name.
    """
    return str(getattr(mask, CARRIED, USUAL.name)) if chosen == AS_THE_MASK else chosen


def effective(mask: Tensor, chosen: str, given: Mapping[str, Any]) -> Recipe:
    """The recipe with the inputs that were moved.

    Args:
        mask: MASK.
        chosen: the node's `recipe`.
        given: inputs by name, of settings only.

    Returns:
        The recipe.

    Raises:
        InputError: a value that the setting does not take.
    """
    named = {setting_of(k): v for k, v in given.items() if v is not None}
    return recipe(carried(mask, chosen), **{k: v for k, v in named.items() if v != getattr(USUAL, k)})
