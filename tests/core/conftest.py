"""What the tests of the core share."""

from __future__ import annotations

import pytest
import torch

from tests.core.drawn_subject import photograph


@pytest.fixture(scope="session")
def image() -> torch.Tensor:
    """A drawn photograph of a head and a body (drawn_subject.TRUTH), [1,3,160,200]."""
    return photograph()
