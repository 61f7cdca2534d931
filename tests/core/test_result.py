"""A cut-out: its colours are estimated once, when they are first asked for, and go into what is made of it."""

from __future__ import annotations

import torch

from nuggy_nodes.core import Cutout, result
from nuggy_nodes.core.foreground.estimate import estimate_foreground
from nuggy_nodes.core.ops.composite import over


def test_colours_come_when_they_are_asked_for_and_once(chelsea, monkeypatch):
    image, asked = chelsea[..., :60, :80], []
    alpha = torch.linspace(0, 1, 80).expand(1, 1, 60, 80).contiguous()
    monkeypatch.setattr(result, "estimate_foreground", lambda *a, **k: asked.append(k) or estimate_foreground(*a, **k))
    made = Cutout(alpha, image, fill=(0.2, 0.4, 0.6))
    assert not asked and "colours" not in made.seconds
    own = estimate_foreground(image, alpha, fill=(0.2, 0.4, 0.6))
    assert torch.equal(made.rgba(), torch.cat((own, alpha), 1)) and made.seconds["colours"] > 0
    background = torch.rand(1, 3, 60, 80, generator=torch.Generator().manual_seed(1))
    assert torch.equal(made.over(background), over(own, alpha, background))
    assert len(asked) == 1 and asked[0] == {"fill": (0.2, 0.4, 0.6), "opacity": None}


def test_the_method_and_the_opacity_are_the_estimates(chelsea):
    image = chelsea[..., :40, :50]
    alpha = torch.linspace(0, 1, 50).expand(1, 1, 40, 50).contiguous()
    opacity = torch.full_like(alpha, 0.5)
    assert torch.equal(Cutout(alpha, image, "none").colours, estimate_foreground(image, alpha, "none"))
    own = Cutout(alpha * 0.5, image, opacity=opacity).colours
    assert torch.equal(own, estimate_foreground(image, alpha * 0.5, opacity=opacity))
