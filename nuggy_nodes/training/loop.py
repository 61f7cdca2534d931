"""The loop: draw, learn, measure, keep the best; stop, and go on where it stopped."""

from __future__ import annotations

import dataclasses
import json
import math
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from ..core import load
from ..core.errors import NuggyError
from ..core.precision import choose_precision
from ..core.predict import out_of_memory
from ..core.weights import Network, build
from . import record, state
from .draw import HELD_BACK, Draws, photographs
from .evaluate import COLUMNS, Figures, Measure
from .learner import PARTS, Learner
from .loss import total
from .mix import Mix
from .scene import render
from .teacher import teach

HELD = 8  # scenes that are never trained on, whose loss is measured
BROKEN = 10  # steps in a row without a finite loss


class Trainer:
    """A run in a folder: `train()` starts it or goes on with it.

    The folder holds state.safetensors (everything that is needed to go on), best.safetensors (the average weights
    that measured best), log.csv, measured.csv, curves.png, run.json and teacher/.
    """

    def __init__(self, mix: Mix, folder: Path, device: torch.device, progress: bool = False):
        self.mix, self.run, self.folder, self.device, self.show = mix, mix.run, folder, device, progress
        folder.mkdir(parents=True, exist_ok=True)
        self.original = load(mix.weights, device)
        taught = tqdm(unit="photo", desc="teacher", disable=not progress)

        def asked(done: int, of: int) -> None:
            taught.total, taught.n = of, done
            taught.refresh()

        teaching = teach(photographs(mix), self._teacher, folder / "teacher", asked)
        taught.close()
        self.draws = Draws(mix, teaching)
        self.learner = Learner(self.original, self.run)
        self.step, self.best, self.first = 0, math.inf, Figures()
        self._resume()
        self.log = record.Table(folder / "log.csv", ("step", "loss", *PARTS, "gradient", "rate", "seconds"), self.step)
        self.measured = record.Table(folder / "measured.csv", ("step", "held_back", *COLUMNS), self.step)
        self.measure: Measure | None = None
        self.wanted = False  # a signal asks to stop

    def _teacher(self) -> Network:
        return load(self.mix.weights, self.device, choose_precision(self.device))

    # --- the run ---

    def train(self, until: Callable[[], bool] = lambda: False) -> bool:
        """Go on to the last step, or until `until` says so after a step. Returns whether the run is finished."""
        run = self.run
        broken = 0
        old = self._listen()
        try:
            batches = iter(self.draws.batches(self.step, run.steps, run.batch, run.workers))
            with tqdm(total=run.steps, initial=self.step, unit="step", disable=not self.show) as bar:
                if math.isinf(self.best):
                    self._measure()
                while self.step < run.steps and not self.wanted and not until():
                    started = time.perf_counter()
                    row = self._guarded(lambda: self.learner.update(render(next(batches), self.device), self.step))
                    self.step += 1
                    self.log.add(step=self.step, **row, seconds=time.perf_counter() - started)
                    broken = 0 if math.isfinite(row["loss"]) else broken + 1
                    if broken == BROKEN:
                        raise NuggyError(
                            f"step {self.step}: no finite loss in {BROKEN} steps; the state of the last save is kept. "
                            "Try a lower rate in [run], in a new folder"
                        )
                    bar.update()
                    bar.set_postfix(loss=f"{row['loss']:.3f}", rate=f"{row['rate']:.1e}")
                    every = self.mix.evaluate.every
                    if (every and self.step % every == 0) or self.step == run.steps:
                        self._measure()
                    if self.step % run.save == 0 and self.step < run.steps:
                        self.save()
            self.save()
        finally:
            self._listen(old)
        return self.step >= run.steps

    def _guarded(self, work: Callable[[], dict[str, float]]) -> dict[str, float]:
        try:
            return work()
        except Exception as e:
            if not out_of_memory(e):
                raise
            raise NuggyError(
                f"memory ran out at step {self.step}: a batch of {self.run.batch} at {self.run.size} pixels does not "
                f"fit on {self.device}. Lower batch or size in [run], in a new folder"
            ) from e

    def _listen(self, old: dict[int, Any] | None = None) -> dict[int, Any]:
        """Have Ctrl-C and a polite end ask for a stop after the step (or measurement) under way, a second one end it
        there and then, unsaved; or put `old` back."""
        try:
            if old is not None:
                return {s: signal.signal(s, h) for s, h in old.items()}

            def ask(*_: Any) -> None:
                if self.wanted:  # asked before, and what is under way is long
                    raise KeyboardInterrupt
                self.wanted = True

            return {s: signal.signal(s, ask) for s in (signal.SIGINT, signal.SIGTERM)}
        except ValueError:  # not the main thread: nothing comes here
            return {}

    def held_back(self) -> float:
        """The loss of the average weights on scenes that are never trained on."""
        with torch.no_grad():
            found = [
                float(total(self.learner.losses(render([self.draws[HELD_BACK + i]], self.device), self.learner.ema)))
                for i in range(HELD)
            ]
        return sum(found) / HELD

    def average(self) -> Network:
        """The average weights as a network, in the arithmetic that it will run in."""
        model = build({k: v.clone() for k, v in self.learner.ema.items()}, self.folder)
        model.to(self.device, choose_precision(self.device))
        return Network(model, self.original.info, self.folder)

    def _measure(self) -> None:
        """Measure the average weights; keep them if they are better than those at the start and all since, by the
        score of evaluate.py, or where nothing but drawn scenes is measured, by the loss on those held back."""
        row: dict[str, float] = {"step": self.step, "held_back": self.held_back()}
        if self.mix.evaluate.every:
            self.measure = self.measure or Measure(self.mix.evaluate)
            if not self.first:
                network = self.average() if not self.step else load(self.mix.weights, self.device,
                                                                   choose_precision(self.device))  # fmt: skip
                self.first = self.measure(network)
                row |= self.first | {"score": 1.0}
            if self.step:
                row |= self.measure(self.average(), self.first)
        mark = row.get("score", row["held_back"])
        if mark < self.best:
            self.best = mark
            if not self.step:
                return self._note(row)
            state.save_tensors(self.folder / "best.safetensors", self.learner.ema,
                               {"step": self.step, "figures": row, "original": self.first})  # fmt: skip
        self._note(row)

    def _note(self, row: dict[str, float]) -> None:
        self.measured.add(**row)
        record.plot((self.log.path, self.measured.path), self.folder / "curves.png")

    # --- stopping and going on ---

    def _terms(self) -> dict[str, Any]:
        """What a run must not change on the way: settings, seed, and the files of each source, by number."""
        free = ("workers", "save")
        sources = [
            (s.layout, s.weight, s.split, s.composite, s.strands, len(f), len(g))
            for s, f, g in zip(self.draws.sources, self.draws.files, self.draws.grounds, strict=True)
        ]
        settings = {k: v for k, v in dataclasses.asdict(self.run).items() if k not in free}
        return json.loads(json.dumps({"seed": self.mix.seed, "run": settings, "sources": sources}))

    def save(self) -> None:
        """Write everything that is needed to go on."""
        facts = {"step": self.step, "updates": self.learner.updates, "best": self.best, "first": self.first}
        state.save_tensors(self.folder / "state.safetensors", self.learner.tensors(),
                           facts | {"terms": self._terms()})  # fmt: skip
        sources = [dataclasses.asdict(s) | {"path": str(s.path)} for s in self.draws.sources]
        info = dataclasses.asdict(self.original.info) | {"file": self.original.path.name}
        text = json.dumps(
            {"terms": self._terms(), "sources": sources, "base": info, "step": self.step}, indent=1, default=str
        )
        (self.folder / "run.json").write_text(text + "\n", encoding="utf-8")

    def _resume(self) -> None:
        path = self.folder / "state.safetensors"
        if not path.exists():
            return
        tensors, facts = state.load_tensors(path)
        mine, theirs = self._terms(), facts["terms"]
        for key in mine:
            if mine[key] != theirs.get(key):
                raise NuggyError(
                    f"{self.folder}: holds a run with another {key}: {theirs.get(key)}; now {mine[key]}. "
                    "Give the mix and data it was started with, or another folder"
                )
        self.step, self.best, self.first = facts["step"], facts["best"], facts["first"]
        self.learner.restore(tensors, facts["updates"])
