"""What is asked of a network: squares normalised a channel each, answers as probabilities."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch

from nuggy_nodes.core.network.metadata import Info
from nuggy_nodes.core.network.protocol import Form, normalised, probability


def test_each_channel_by_its_own_mean_and_deviation():
    squares = torch.tensor([0.2, 0.5, 0.8]).view(1, 3, 1, 1).expand(2, 3, 4, 4)
    found = normalised(squares, Info(mean=(0.1, 0.5, 0.2), std=(0.5, 1.0, 0.25)))
    expected = torch.tensor([0.2, 0.0, 2.4]).view(1, 3, 1, 1).expand(2, 3, 4, 4)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("value", [-3.0, 0.0, 0.4, 7.0])
def test_logits_go_through_a_sigmoid_and_probabilities_only_stay_in_range(value):
    answer = torch.full((1, 1, 2, 2), value)
    as_logits = probability(SimpleNamespace(form=Form(logits=True)), answer)
    as_they_are = probability(SimpleNamespace(form=Form(logits=False)), answer)
    assert float(as_logits[0, 0, 0, 0]) == pytest.approx(1 / (1 + math.exp(-value)), abs=1e-6)
    assert float(as_they_are[0, 0, 0, 0]) == pytest.approx(min(max(value, 0), 1))
