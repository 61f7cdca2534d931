"""What the tests of the core share."""

from __future__ import annotations

import pytest
import torch

from tests.core.drawn_subject import photograph


@pytest.fixture(scope="session")
def image() -> torch.Tensor:
    """A drawn photograph of a head and a body (drawn_subject.TRUTH), [1,3,160,200]."""
    return photograph()


@pytest.fixture
def no_bfloat16(monkeypatch):
    """Takes a module's kernel for bfloat16 away."""

    def take(kind):
        def forward(self, x):
            if x.dtype == torch.bfloat16:
                raise RuntimeError("not implemented for 'BFloat16'")
            return x

        monkeypatch.setattr(kind, "forward", forward)

    return take
