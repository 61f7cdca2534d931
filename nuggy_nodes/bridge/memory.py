"""What a warm worker keeps: the layer it was shown last, what the network said of the last ones, and the last mask.

A retoucher looks at one layer through many settings. The network's answer depends on the pixels and on the recipe's
views alone: it is computed once for previews and result, whatever comes after it. All is keyed by the pixels' digest.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..core.foreground.opacity import shown
from ..core.ops.resample import resample
from ..core.segment.guidance import Box
from .job import Job
from .protocol import Bytes
from .samples import pixels

ANSWERS = 16  # of at most 16 MB
RESTING = 300 << 20  # bytes of photograph that are kept while nothing is asked


@dataclass
class Photograph:
    """A layer: colours [1,3,H,W] as they came, bounded to 0..1, and opacity [1,1,H,W] or None."""

    key: tuple[Any, ...]
    colours: Tensor
    bounded: Tensor
    opacity: Tensor | None

    @property
    def seen(self) -> Tensor:
        """What the network is shown."""
        return self.bounded if self.opacity is None else shown(self.bounded, self.opacity)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.bounded.shape[-2], self.bounded.shape[-1]

    def smaller(self, longest: int) -> Photograph:
        """A copy no side of which is longer; itself where none is."""
        height, width = self.size
        scale = longest / max(height, width)
        if scale >= 1:
            return self
        size = max(round(height * scale), 1), max(round(width * scale), 1)
        small = resample(self.bounded, size).clamp_(0, 1)
        opacity = None if self.opacity is None else resample(self.opacity, size).clamp_(0, 1)
        return Photograph((*self.key, longest), small, small, opacity)


@dataclass
class Answer:
    """What a network said of a photograph, [1,1,n,n], and of boxes in it, and what it made of it for strokes."""

    coarse: Tensor
    boxes: dict[tuple[int, tuple[Box, ...]], Tensor] = field(default_factory=dict)
    learnt: dict[int, Tensor | None] = field(default_factory=dict)


class Memory:
    """Of one worker."""

    def __init__(self) -> None:
        self.photograph: Photograph | None = None
        self.small: Photograph | None = None
        self.answers: OrderedDict[tuple[Any, ...], Answer] = OrderedDict()
        self.mask: tuple[tuple[Any, ...], Tensor] | None = None
        self._bare: dict[bool, tuple[tuple[Any, ...], Tensor]] = {}

    def see(self, job: Job, blobs: dict[str, Bytes], device: torch.device) -> Photograph | None:
        """The job's photograph, None where it came without pixels and is not the last one."""
        key = (job.key, job.width, job.height, job.channels, job.depth)
        if self.photograph is not None and job.key and self.photograph.key == key:
            return self.photograph
        if "pixels" not in blobs:
            return None
        self.forget()
        colours, opacity = pixels(job, blobs["pixels"], device)
        wild = job.depth == "float"
        bounded = colours.nan_to_num(0.0, 1.0, 0.0).clamp_(0, 1) if wild else colours
        if wild:  # colours beyond sRGB stay; what is no number, or has no end, is nobody's colour
            colours = bounded if torch.equal(bounded, colours) else torch.where(colours.isfinite(), colours, bounded)
        made = Photograph(key, colours, bounded, opacity)
        if job.key:
            self.photograph = made
        return made

    def reduced(self, whole: Photograph, longest: int) -> Photograph:
        """A smaller copy, kept for the next change of a setting."""
        if self.small is None or self.small.key != (*whole.key, longest):
            self.small = whole.smaller(longest)
        return self.small

    def answer(self, key: tuple[Any, ...]) -> Answer | None:
        """What the network said."""
        if key in self.answers:
            self.answers.move_to_end(key)
        return self.answers.get(key)

    def remember(self, key: tuple[Any, ...], coarse: Tensor) -> Answer:
        """Keep what the network said, if the photograph has a name."""
        made = Answer(coarse)
        if key[0][0]:
            self.answers[key] = made
            while len(self.answers) > ANSWERS:
                self.answers.popitem(last=False)
        return made

    def bare(self, exact: bool, key: tuple[Any, ...]) -> Tensor | None:
        """The last mask before strokes and boxes, of the layer or of its smaller copy, if it is of this key."""
        kept, alpha = self._bare.get(exact, ((), None))
        return alpha if kept == key else None

    def keep_bare(self, exact: bool, key: tuple[Any, ...], alpha: Tensor) -> None:
        """For `bare`."""
        if key[0][0][0]:
            self._bare[exact] = key, alpha

    def forget(self) -> None:
        """The photograph and what was made of it; not what the network said."""
        self.photograph = self.small = self.mask = None
        self._bare.clear()

    def rest(self) -> None:
        """Nothing is asked for: a large photograph can be sent again."""
        p = self.photograph
        held = 0 if p is None else sum(t.nbytes for t in {id(t): t for t in (p.colours, p.bounded)}.values())
        if held > RESTING:
            self.forget()
