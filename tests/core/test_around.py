"""Recipes around another network."""

from __future__ import annotations

import pytest

from nuggy_nodes.core import RECIPES, InputError, recipe
from nuggy_nodes.core.around import ELSEWHERE, around
from nuggy_nodes.core.network.protocol import Form
from nuggy_nodes.core.recipes import views


def test_around_another_network_views_give_way_unless_they_were_changed():
    other, own = Form(size=512), Form(measured=True)
    for name in ("fast", "balanced", "best"):
        assert around(RECIPES[name], own) is RECIPES[name]
        found = around(recipe(name, black=0.2), other)
        assert found.views == ELSEWHERE[name] and found.combine == "majority" and found.black == 0.2
    chosen = recipe("balanced", views=views("896"))
    assert around(chosen, other) == chosen
    assert around(recipe("balanced", combine="max"), other).combine == "max"
    with pytest.raises(InputError, match="IS-Net's alone"):
        around(recipe("demo"), other)
