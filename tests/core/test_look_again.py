"""Another recipe on a photograph that was looked at: what comes after the network alone is done again."""

import torch

from nuggy_nodes.core import answer, cutout, look_again, look_once, recipe
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
