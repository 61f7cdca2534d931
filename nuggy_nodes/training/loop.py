"""The loop: draw, learn, measure, keep the best; stop, and go on where it stopped."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from ..core import load
from ..core.errors import NuggyError
from ..core.network.checksum import sha256
from ..core.network.device import out_of_memory
from . import record, state
from .ahead import painted
from .draw import Draws, photographs
from .evaluate import COLUMNS
from .judge import Judge
from .learner import PARTS, Learner
from .mix import Mix
from .progress import shown
from .stop import Stop
from .teacher import teach

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
        self.judge = Judge(mix, folder, device, progress)
        with shown("teacher", "photo", progress) as asked:
            teaching = teach(photographs(mix), mix.teacher, device, folder / "teacher", asked)
        self.draws = Draws(mix, teaching)
        self.learner = Learner(self.original, self.run)
        self.step = 0
        self.stop = Stop()
        self._resume()
        self.log = record.Table(folder / "log.csv", ("step", "loss", *PARTS, "gradient", "rate", "seconds"), self.step)
        self.measured = record.Table(folder / "measured.csv", ("step", "held_back", *COLUMNS), self.step)

    # --- the run ---

    def train(self, until: Callable[[], bool] = lambda: False) -> bool:
        """Go on to the last step, or until `until` says so after a step. Returns whether the run is finished."""
        run = self.run
        broken = 0
        plans = self.draws.batches(self.step, run.steps, run.batch, run.workers)
        with (
            self.stop,
            closing(painted(iter(plans), self.device)) as batches,
            tqdm(total=run.steps, initial=self.step, unit="step", disable=not self.show) as bar,
        ):
            if math.isinf(self.judge.best):
                self._measure()
            while self.step < run.steps and not self.stop.wanted and not until():
                started = time.perf_counter()
                row = self._guarded(lambda: self.learner.update(next(batches), self.step))
                self.step += 1
                self.log.add(step=self.step, **row, seconds=time.perf_counter() - started)
                broken = 0 if math.isfinite(row["loss"]) else broken + 1
                if broken == BROKEN:
                    raise NuggyError(
                        f"step {self.step}: no finite loss in {BROKEN} steps; the state of the last save is kept. "
                        "Try a lower rate in [run], in a new folder"
                    )
                bar.set_postfix(loss=f"{row['loss']:.3f}", rate=f"{row['rate']:.1e}", refresh=False)
                bar.update()
                if self.judge.due(self.step):
                    self._measure()
                if self.step % run.save == 0 and self.step < run.steps:
                    self.save()
            self.save()
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

    def _measure(self) -> None:
        row = self._guarded(lambda: self.judge(self.step, self.learner, self.draws))
        self.measured.add(**row)
        record.plot((self.log.path, self.measured.path), self.folder / "curves.png")

    # --- stopping and going on ---

    def _terms(self) -> dict[str, Any]:
        """What a run must not change on the way: settings, seed, weights, the files of each source (their names, not
        where they lie), and what is measured, since figures of before are compared with figures of after."""
        sources = [
            {k: getattr(s, k) for k in ("layout", "weight", "split", "composite", "strands", "clutter")}
            | {"files": names}
            for s, names in zip(self.draws.sources, self.draws.names, strict=True)
        ]
        run, measured = dataclasses.asdict(self.run), dataclasses.asdict(self.mix.evaluate)
        for free in ("workers", "save"):
            del run[free]
        run["sizes"] = list(run["sizes"])
        for where in ("every", "dev", "scenes"):
            measured[where] = bool(measured[where])
        terms = {"seed": self.mix.seed, "weights": sha256(self.original.path), "run": run, "evaluate": measured}
        if self.mix.teacher != self.mix.weights and self.mix.teacher is not None:
            terms["teacher"] = sha256(self.mix.teacher)
        return terms | {f"source {i}": s for i, s in enumerate(sources, 1)}

    def save(self) -> None:
        """Write everything that is needed to go on."""
        facts = {"step": self.step, "updates": self.learner.updates, "best": self.judge.best, "first": self.judge.first}
        state.save_tensors(self.folder / "state.safetensors", self.learner.tensors(),
                           facts | {"terms": self._terms()})  # fmt: skip
        sources = [dataclasses.asdict(s) | {"path": str(s.path)} for s in self.draws.sources]
        info = dataclasses.asdict(self.original.info) | {"file": self.original.path.name}
        text = json.dumps(
            {"terms": self._terms(), "sources": sources, "base": info, "step": self.step}, indent=1, default=str
        )
        (self.folder / "run.json").write_text(text + "\n", encoding="utf-8")

    def _resume(self) -> None:
        kept = state.resumed(self.folder / "state.safetensors", self._terms())
        if kept is None:
            return
        tensors, facts = kept
        self.step, self.judge.best, self.judge.first = facts["step"], facts["best"], facts["first"]
        self.learner.restore(tensors, facts["updates"])
