"""Training of the network that spreads strokes: `nuggy train strokes`. On a CPU; stops and goes on bit for bit.

Strokes are placed one after the other, each where the network leaves most wrong after those before it. So it learns
from its own mistakes, and what a second stroke has to say beside the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..core.errors import NuggyError
from ..core.segment.stroke_features import features
from ..core.segment.stroke_network import Spreader, logits_of
from .small_loop import Pace, SmallTrainer
from .strokes_bank import Canvas
from .strokes_components import Components
from .strokes_problem import Problem, problem
from .strokes_user import stroke

BATCH, MOST = 8, 4  # problems a step, and strokes of a problem at the most
UNKNOWN = 0.25  # of the steps do without the segmentation network's maps, as masks from elsewhere have to
PACE = Pace(rate=1.5e-3, warm_up=100, last=0.02, decay=0.998, every=250)
MEASURED, STROKES = 40, 5  # problems that measure, and their strokes
WORSE, LITTLE = 1.02, 20  # a stroke harms if more than so many times as much is wrong; less than these cells is nothing
TRIES = 1000  # problems drawn in vain before a bank is given up
COLUMNS = (*(f"held_{n}" for n in range(1, STROKES + 1)), "harmed")


class StrokesTrainer(SmallTrainer[Spreader]):
    """A run in a folder. train, held: canvases; found: the components that they hold; steps: of the whole run (the
    rate falls to nothing over them)."""

    def __init__(
        self,
        train: Sequence[Canvas],
        held: Sequence[Canvas],
        found: Components,
        folder: Path,
        steps: int,
        seed: int = 0,
        progress: bool = False,
    ):
        self.canvases, self.held = train, held

        def network() -> Spreader:
            made = Spreader()
            found.put_into(made)
            return made

        terms = {"canvases": len(train)}
        super().__init__(network, "strokes", folder, steps, seed, PACE, COLUMNS, terms, progress)

    def loss(self, rng: np.random.Generator) -> Tensor:
        some = problems(rng, self.canvases, BATCH)
        known = bool(rng.random() >= UNKNOWN)
        shown, strokes = Shown(some, known), int(rng.integers(1, MOST + 1))
        with torch.no_grad():
            for n in range(strokes):
                now = shown.start if n == 0 else shown.spread(self.network)
                for i, p in enumerate(some):
                    shown.add(i, stroke(p.truth, now[i, 0].numpy(), rng))
        return loss(shown.spread(self.network), shown.truth, shown.start)

    @torch.no_grad()
    def measured(self) -> dict[str, float]:
        """What is left of a mask's error after each stroke, on average, and the share of strokes that harmed."""
        network = Spreader()
        network.load_state_dict(self.average)
        rng, rows = np.random.default_rng((self.seed, 2)), []
        for n in range(MEASURED):
            p = problems(rng, [self.held[n % len(self.held)]], 1)[0]
            shown = Shown([p])
            now, row = shown.start, [float((shown.start - shown.truth).abs().sum())]
            for _ in range(STROKES):
                found = stroke(p.truth, now[0, 0].numpy())
                if found is not None:
                    shown.add(0, found)
                    now = shown.spread(network)
                row.append(float((now - shown.truth).abs().sum()))
            rows.append(row)
        wrong = np.array(rows)
        left = wrong.mean(0)[1:] / wrong.mean(0)[0]
        harmed = (wrong[:, 1:] > WORSE * np.maximum(wrong[:, :-1], LITTLE)).mean()
        return dict(zip(COLUMNS, (*left.tolist(), float(harmed))))


class Shown:
    """Problems of one shape as the network sees them, with the strokes so far. truth, start: [B,1,h,w], 0..1."""

    def __init__(self, some: Sequence[Problem], known: bool = True):
        self._problems = some
        self.truth = torch.from_numpy(np.stack([p.truth for p in some]))[:, None]
        self.start = torch.from_numpy(np.stack([p.start for p in some]))[:, None]
        self._seen = torch.cat([self._features(p) for p in some])
        self._learnt = torch.stack([p.learnt for p in some]) if known else None

    def add(self, i: int, found: tuple[bool, Tensor] | None) -> None:
        """One more stroke, or none, of problem i. Of several strokes features are the largest of each one's."""
        if found is not None:
            self._seen[i] = torch.maximum(self._seen[i], self._features(self._problems[i], found)[0])

    def spread(self, network: Spreader) -> Tensor:
        """The masks [B,1,h,w] that a network makes of them, 0..1."""
        found: Tensor = network(self._seen, logits_of(self.start), self._learnt).sigmoid()
        return found

    @staticmethod
    def _features(p: Problem, *strokes: tuple[bool, Tensor]) -> Tensor:
        return features(p.image, torch.from_numpy(p.start), strokes)


def loss(mask: Tensor, truth: Tensor, start: Tensor) -> Tensor:
    """One number for masks [B,1,h,w], 0..1: how far they are from the truth, with what is farther than at the start
    counted 2.5 times, and cross-entropy."""
    wrong, before = (mask - truth).abs(), (start - truth).abs()
    entropy = F.binary_cross_entropy(mask.clamp(1e-4, 1 - 1e-4), truth)
    return wrong.mean() + 0.25 * entropy + 1.5 * (wrong - before).clamp(min=0).mean()


def problems(rng: np.random.Generator, canvases: Sequence[Canvas], count: int) -> list[Problem]:
    """Problems by chance, of canvases of one shape. Raises NuggyError where none is found."""
    shape = canvases[int(rng.integers(len(canvases)))].blob.shape
    of_shape = [c for c in canvases if c.blob.shape == shape]
    out: list[Problem] = []
    for _ in range(TRIES):
        found = problem(rng, of_shape[int(rng.integers(len(of_shape)))])
        if found is not None:
            out.append(found)
        if len(out) == count:
            return out
    raise NuggyError("no stroke would be needed on the canvases; give more")
