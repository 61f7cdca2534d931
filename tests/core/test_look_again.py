"""Another recipe on a photograph that was looked at: what comes after the network alone is done again."""

import pytest
import torch

from nuggy_nodes.core import answer, cutout, look_again, look_once, pipeline, recipe
from nuggy_nodes.core.guided_answer import asks_network
from nuggy_nodes.core.recipes import views


def test_it_is_what_a_fresh_look_gives_and_the_network_is_not_asked(chelsea, network, monkeypatch):
    small = recipe("fast", views=views("256"))
    other = recipe(small, black=0.3, gamma=0.7, shift_edge=1.0, max_hole=0.01)
    want = cutout(chelsea, network, other).alpha
    seen = look_once(chelsea, network, small)
    with monkeypatch.context() as patch:
        patch.setattr("nuggy_nodes.core.pipeline.look", lambda *a, **k: 1 / 0)
        again = look_again(seen, other)
    assert torch.equal(answer(again).alpha, want)
    assert again.recipe == other and seen.recipe == small  # what was seen stays as it is


def test_other_views_ask_the_network_anew(chelsea, network):
    seen = look_once(chelsea, network, recipe("fast", views=views("256")))
    other = recipe("fast", views=views("288"))
    assert torch.equal(look_again(seen, other).alpha, cutout(chelsea, network, other).alpha)


@pytest.mark.parametrize(
    ("changes", "asks"),
    [
        ({}, False),
        ({"black": 0.3}, False),
        ({"detail": 0.0}, False),
        ({"looks": 2}, True),
        ({"views": views("288")}, True),
    ],
)
def test_it_is_known_beforehand_whether_the_network_is_asked(chelsea, network, monkeypatch, changes, asks):
    small = recipe("fast", views=views("256"))
    seen, other = look_once(chelsea, network, small), recipe(small, **changes)
    assert asks_network(seen, other) is asks and asks_network(seen, "demo")
    asked = []
    look = pipeline.look
    monkeypatch.setattr("nuggy_nodes.core.pipeline.look", lambda *a, **k: asked.append(1) or look(*a, **k))
    look_again(seen, other)
    assert bool(asked) is asks
