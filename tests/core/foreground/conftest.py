"""What the tests of foreground colours share."""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core.ops.composite import over
from tests.core.foreground.scenes import photo, soft_alpha


@pytest.fixture(scope="package")
def scene() -> dict[str, torch.Tensor]:
    """A known foreground photograph over a known background photograph."""
    foreground, background = photo("astronaut", 256, 320), photo("chelsea", 256, 320)
    alpha = soft_alpha(256, 320)
    return {"foreground": foreground, "alpha": alpha, "image": over(foreground, alpha, background)}
