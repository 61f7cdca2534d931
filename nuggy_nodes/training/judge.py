"""Who says which weights of a run are the best: the average weights, measured now and then, the best kept."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from ..core import load
from ..core.network.precision import choose_floating
from ..core.network.weights import Network, build
from . import state
from .draw import HELD_BACK, Draws
from .evaluate import Figures, Measure
from .learner import Learner
from .loss import total
from .mix import Mix
from .progress import shown
from .scene import Batch, render

HELD = 8  # scenes that are never trained on, whose loss is measured


class Judge:
    """Measures a learner's average weights and keeps the best of them in FOLDER/best.safetensors.

    best: the lowest mark so far; first: the figures of the weights that the run started from (empty where only drawn
    scenes are measured). Raises NuggyError where the mix asks for measuring and that cannot be done here.
    """

    def __init__(self, mix: Mix, folder: Path, device: torch.device, show: bool = False):
        self.mix, self.folder, self.device, self.show = mix, folder, device, show
        self.best, self.first = math.inf, Figures()
        self._measure = Measure(mix.evaluate) if mix.evaluate.every else None
        self._held: list[Batch] = []

    @property
    def kept(self) -> bool:
        """Whether something measured better than the weights at the start."""
        return (self.folder / "best.safetensors").exists()

    def due(self, step: int) -> bool:
        """Whether to measure after `step` steps: every so many, and at the end."""
        every = self.mix.evaluate.every
        return (every > 0 and step % every == 0) or step == self.mix.run.steps

    def held_back(self, learner: Learner, draws: Draws) -> float:
        """The loss of the average weights on scenes that are never trained on."""
        self._held = self._held or [render([draws[HELD_BACK + i]], self.device) for i in range(HELD)]
        with torch.no_grad():
            return sum(float(total(learner.losses(b, learner.ema))) for b in self._held) / HELD

    def figures(self, network: Network, what: str) -> Figures:
        """A network's figures, with the score if those at the start are known, under a progress bar."""
        assert self._measure is not None
        with shown(f"measuring {what}", "picture", self.show) as progress:
            return self._measure(network, self.first or None, progress)

    def __call__(self, step: int, learner: Learner, draws: Draws) -> Figures:
        """Measure after `step` steps; keep the average weights if they are better than those at the start and all
        since: by the score of evaluate.py, or where nothing but drawn scenes is measured, by the loss on those held
        back. Returns the row for measured.csv."""
        row: Figures = {"step": step, "held_back": self.held_back(learner, draws)}
        if self._measure:
            if not self.first:
                start = load(self.mix.weights, self.device, choose_floating(self.device))
                self.first = self.figures(start, "the weights at the start")
                row |= self.first | {"score": 1.0}
            if step:
                row |= self.figures(self._average(learner), f"step {step}")
        mark = row.get("score", row["held_back"])
        if mark < self.best:
            self.best = mark
            if step:
                state.save_tensors(self.folder / "best.safetensors", learner.ema,
                                   {"step": step, "figures": row, "original": self.first})  # fmt: skip
        return row

    def _average(self, learner: Learner) -> Network:
        """The average weights as a network, in the arithmetic that it will run in."""
        model = build({k: v.clone() for k, v in learner.ema.items()}, self.folder)
        model.to(self.device, choose_floating(self.device))
        return Network(model, learner.original.info, self.folder)
