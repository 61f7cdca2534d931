"""What comes out: a cut-out, whose colours are made when they are first asked for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from torch import Tensor

from .foreground.estimate import estimate_foreground
from .ops.composite import over, rgba
from .refine.islands import IslandReport


@dataclass
class Cutout:
    """alpha [B,1,H,W] (1 = subject) for the photographs image [B,3,H,W]; what islands were removed, one report a
    photograph; seconds by stage. method, fill, opacity: as for foreground.estimate_foreground, which makes `colours`.
    """

    alpha: Tensor
    image: Tensor
    method: str = "multilevel"
    fill: Sequence[float] | None = None
    opacity: Tensor | None = None
    islands: list[IslandReport] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @cached_property
    def colours(self) -> Tensor:
        """The subject's own colours [B,3,H,W], straight, nothing of the background where alpha is 0. Estimated when
        first asked for: a caller that wants the alpha alone does not pay."""
        started = time.perf_counter()
        found = estimate_foreground(self.image, self.alpha, self.method, fill=self.fill, opacity=self.opacity)
        self.seconds["colours"] = time.perf_counter() - started
        return found

    def rgba(self) -> Tensor:
        """Straight-alpha picture [B,4,H,W]."""
        return rgba(self.colours, self.alpha)

    def over(self, background: Tensor) -> Tensor:
        """Composite over a background.

        Args:
            background: [B or 1,3,H,W], of the same size.

        Returns:
            [B,3,H,W].

        Raises:
            InputError: another shape or size.
        """
        return over(self.colours, self.alpha, background)
