"""What a network said of photographs, kept between runs: a stroke more does not ask it again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from ..core.segment.guidance import Box

MOST = 24 << 20  # pixels of all masks kept, 4 bytes each


@dataclass
class Said:
    """A photograph's mask [1,1,H,W], on the CPU, and what the network said of boxes and made of it for strokes, as in
    guided_answer.Seen."""

    mask: Tensor
    boxes: dict[tuple[int, tuple[Box, ...]], Tensor] = field(default_factory=dict)
    learnt: dict[int, Tensor | None] = field(default_factory=dict)


class Kept:
    """Answers by photograph and question; the longest unused go first."""

    def __init__(self) -> None:
        self._said: OrderedDict[str, Said] = OrderedDict()

    def find(self, image: Tensor, question: str, ask: Callable[[], Tensor]) -> Said:
        """What was said of a photograph when it was asked before, else what is said now.

        Args:
            image: [1,3,H,W].
            question: all that the answer depends on.
            ask: gives the answer [1,1,H,W].

        Returns:
            The answer, kept.
        """
        pixels = image.detach().cpu().contiguous()
        digest = hashlib.blake2b(pixels.float().numpy().tobytes(), digest_size=16).hexdigest()
        key = f"{tuple(image.shape)} {digest} {question}"
        if key not in self._said:
            self._said[key] = Said(ask().cpu())
        self._said.move_to_end(key)
        while len(self._said) > 1 and sum(s.mask.numel() for s in self._said.values()) > MOST:
            self._said.popitem(last=False)
        return self._said[key]
