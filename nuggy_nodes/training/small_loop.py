"""The loop that trains a small network on a CPU, and stops and goes on bit for bit: the refiner's and the strokes'."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from ..core.errors import NuggyError
from . import record, state
from .stop import Stop

Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True)
class Pace:
    """Of AdamW: rate after `warm_up` steps, which falls along half a cosine to the share `last` of it; clip: of the
    gradients' norm. decay: of the average of the weights. every, save: steps between measurements, and saves."""

    rate: float
    warm_up: int
    last: float
    decay: float
    clip: float = 0.5
    every: int = 1000
    save: int = 250

    def at(self, step: int, steps: int) -> float:
        """The rate of a step."""
        fall = self.last + (1 - self.last) * 0.5 * (1 + math.cos(math.pi * step / steps))
        return self.rate * min(1.0, (step + 1) / self.warm_up) * fall


class SmallTrainer(Generic[Net]):
    """A run in a folder. name: of its files; steps: of the whole run (the rate falls over them); columns: what is
    measured; terms: what a run that goes on has to share."""

    def __init__(
        self,
        network: Callable[[], Net],
        name: str,
        folder: Path,
        steps: int,
        seed: int,
        pace: Pace,
        columns: tuple[str, ...],
        terms: dict[str, int],
        progress: bool = False,
    ):
        self.folder, self.steps, self.seed, self.pace = folder, steps, seed, pace
        self.show, self.step, self._name = progress, 0, name
        self._terms = {"steps": steps, "seed": seed, **terms}
        torch.manual_seed(seed)
        self.network = network()
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=pace.rate, weight_decay=1e-4)
        self.average = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        self._resume()
        self.log = record.Table(folder / f"{name}.csv", ("step", "loss", *columns), self.step)

    def loss(self, rng: np.random.Generator) -> Tensor:
        """One number for a batch by chance."""
        raise NotImplementedError

    def measured(self) -> dict[str, float]:
        """The columns' values of the average network, on what is held back."""
        raise NotImplementedError

    def train(self, until: Callable[[], bool] = lambda: False) -> bool:
        """Go on to the last step, or until `until` says so. Returns whether the run is finished."""
        stop = Stop()
        with stop, tqdm(total=self.steps, initial=self.step, unit="step", disable=not self.show) as bar:
            while self.step < self.steps and not stop.wanted and not until():
                value = self._update()
                self.step += 1
                bar.update()
                if self.step % self.pace.every == 0 or self.step == self.steps:
                    found = self.measured()
                    self.log.add(step=self.step, loss=value, **found)
                    bar.set_postfix({k: f"{v:.4f}" for k, v in found.items()}, refresh=False)
                if self.step % self.pace.save == 0:
                    self.save()
            self.save()
        return self.step >= self.steps

    def _update(self) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = self.pace.at(self.step, self.steps)
        value = self.loss(np.random.default_rng((self.seed, 1, self.step)))
        if not torch.isfinite(value):
            raise NuggyError(f"step {self.step}: the loss is not finite; the state of the last save is kept")
        self.optimiser.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.pace.clip)
        self.optimiser.step()
        keep = min(self.pace.decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, now in self.network.state_dict().items():
                self.average[name].lerp_(now, 1 - keep)
        return float(value.detach())

    @property
    def _state(self) -> Path:
        return self.folder / f"{self._name}-state.safetensors"

    def save(self) -> None:
        moments = {f"moment.{i}.{k}": v for i, s in self.optimiser.state_dict()["state"].items() for k, v in s.items()}
        tensors = {f"now.{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.items()} | moments
        state.save_tensors(self._state, tensors, {"step": self.step, "terms": self._terms})

    def _resume(self) -> None:
        found = state.resumed(self._state, self._terms)
        if found is None:
            return
        kept, facts = found
        self.step = facts["step"]
        self.network.load_state_dict({k[4:]: v for k, v in kept.items() if k.startswith("now.")})
        self.average = {k[8:]: v for k, v in kept.items() if k.startswith("average.")}
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in kept.items():
            if name.startswith("moment."):
                _, number, key = name.split(".")
                moments.setdefault(int(number), {})[key] = value
        whole: dict[str, Any] = self.optimiser.state_dict()
        self.optimiser.load_state_dict({"state": moments, "param_groups": whole["param_groups"]})
