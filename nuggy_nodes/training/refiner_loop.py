"""Training of the learned refinement: `nuggy train refiner`. On a CPU; stops and goes on bit for bit."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ..core.errors import NuggyError
from ..core.refine.learned import GATE
from ..core.refine.learned_features import features, local_colours, pixels
from ..core.refine.learned_network import Refiner
from . import record, state
from .refiner_answers import WINDOW, Windows
from .refiner_loss import loss
from .stop import Stop

SIDE, BATCH = 128, 10  # pixels of a window that is shown; windows a step
RATE, WARM_UP, DECAY, CLIP = 1.2e-3, 200, 0.999, 0.5  # at twice the rate it was dead after a few steps
PLAIN = 0.15  # of the windows start from the coarse mask, as if there were no filter
EVERY, SAVE = 1000, 250  # steps between measurements, and saves


class RefinerTrainer:
    """A run in a folder. train, held: windows; steps: of the whole run (the rate falls to nothing over them)."""

    def __init__(self, train: Windows, held: Windows, folder: Path, steps: int, seed: int = 0, progress: bool = False):
        self.windows, self.held, self.folder, self.steps, self.seed = train, held, folder, steps, seed
        self.show, self.step = progress, 0
        torch.manual_seed(seed)
        self.network = Refiner()
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=RATE, weight_decay=1e-4)
        self.average = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        self._resume()
        self.log = record.Table(folder / "refiner.csv", ("step", "loss", "held", "held_before"), self.step)

    def train(self, until: Callable[[], bool] = lambda: False) -> bool:
        """Go on to the last step, or until `until` says so. Returns whether the run is finished."""
        stop = Stop()
        with stop, tqdm(total=self.steps, initial=self.step, unit="step", disable=not self.show) as bar:
            while self.step < self.steps and not stop.wanted and not until():
                value = self._update()
                self.step += 1
                bar.update()
                if self.step % EVERY == 0 or self.step == self.steps:
                    after, before = self.measure()
                    self.log.add(step=self.step, loss=value, held=after, held_before=before)
                    bar.set_postfix(held=f"{after:.4f}", before=f"{before:.4f}", refresh=False)
                if self.step % SAVE == 0:
                    self.save()
            self.save()
        return self.step >= self.steps

    def _update(self) -> float:
        rng = np.random.default_rng((self.seed, 1, self.step))
        shown = drawn_batch(self.windows, rng)
        rate = (
            RATE
            * min(1.0, (self.step + 1) / WARM_UP)
            * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * self.step / self.steps)))
        )
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        value = loss(changed(self.network, shown), shown["alpha"], shown["before"], shown["believed"])
        if not torch.isfinite(value):
            raise NuggyError(f"step {self.step}: the loss is not finite; the state of the last save is kept")
        self.optimiser.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self.optimiser.step()
        keep = min(DECAY, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, now in self.network.state_dict().items():
                self.average[name].lerp_(now, 1 - keep)
        return float(value.detach())

    @torch.no_grad()
    def measure(self, most: int = 150) -> tuple[float, float]:
        """Mean |mask - truth| where the truth is believed, of scenes held back: of the average network, and before."""
        network = Refiner()
        network.load_state_dict(self.average)
        sums = np.zeros(3)
        every = max(-(-len(self.held.image) // most), 1)
        for at in range(0, len(self.held.image), every):
            shown = tensors(self.held, [at], WINDOW)
            weight = shown["believed"]
            for i, mask in enumerate((changed(network, shown).clamp(0, 1), shown["before"])):
                sums[i] += float(((mask - shown["alpha"]).abs() * weight).sum())
            sums[2] += float(weight.sum())
        return sums[0] / sums[2], sums[1] / sums[2]

    def save(self) -> None:
        moments = {f"moment.{i}.{k}": v for i, s in self.optimiser.state_dict()["state"].items() for k, v in s.items()}
        tensors_ = {f"now.{k}": v for k, v in self.network.state_dict().items()}
        tensors_ |= {f"average.{k}": v for k, v in self.average.items()} | moments
        state.save_tensors(
            self.folder / "refiner-state.safetensors", tensors_, {"step": self.step, "terms": self._terms()}
        )

    def _terms(self) -> dict[str, int]:
        return {"steps": self.steps, "seed": self.seed, "windows": len(self.windows.image)}

    def _resume(self) -> None:
        found = state.resumed(self.folder / "refiner-state.safetensors", self._terms())
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
        whole = self.optimiser.state_dict()
        self.optimiser.load_state_dict({"state": moments, "param_groups": whole["param_groups"]})


def changed(network: Refiner, shown: dict[str, Tensor]) -> Tensor:
    """The masks that a network makes of a batch, as core/refine/learned.py does, not clipped."""
    with torch.no_grad():
        near = pixels(local_colours(shown["image"], shown["before"]), *shown["image"].shape[-2:])
        seen = features(shown["image"], shown["coarse"], shown["before"], near)
    return shown["before"] + (GATE * shown["doubt"]).clamp(max=1) * network(seen)


def drawn_batch(windows: Windows, rng: np.random.Generator) -> dict[str, Tensor]:
    """BATCH windows by chance: turned, mirrored, in other light and colours."""
    which = rng.integers(0, len(windows.image), BATCH)
    shown = tensors(windows, which, SIDE, rng)
    image = shown["image"]
    gain = torch.from_numpy(np.exp(rng.normal(0, 0.12, (BATCH, 3, 1, 1))).astype(np.float32))
    gamma = torch.from_numpy(np.exp(rng.normal(0, 0.15, (BATCH, 1, 1, 1))).astype(np.float32))
    image = (image * gain).clamp(0, 1) ** gamma
    for i in range(BATCH):
        if rng.random() < 0.5:
            image[i] = image[i, torch.from_numpy(rng.permutation(3))]
        if rng.random() < 0.05:
            image[i] = 1 - image[i]
    plain = torch.from_numpy(rng.random(BATCH) < PLAIN).view(-1, 1, 1, 1)
    return shown | {"image": image, "before": torch.where(plain, shown["coarse"], shown["before"])}


def tensors(windows: Windows, which: object, side: int, rng: np.random.Generator | None = None) -> dict[str, Tensor]:
    """Windows of these numbers as tensors, 0..1: image [B,3,s,s] and the masks [B,1,s,s] by name (`before` is the
    filtered one). With rng: a part of each of `side` pixels, turned and mirrored by chance."""
    names = {"image": "image", "alpha": "alpha", "coarse": "coarse", "before": "filtered", "doubt": "doubt",
             "believed": "believed"}  # fmt: skip
    found: dict[str, list[Tensor]] = {n: [] for n in names}
    for number in which:  # type: ignore[attr-defined]
        y, x = rng.integers(0, WINDOW - side + 1, 2) if rng is not None else (0, 0)
        turns, mirrored = (int(rng.integers(4)), rng.random() < 0.5) if rng is not None else (0, False)
        for name, source in names.items():
            part = np.rot90(getattr(windows, source)[number][y : y + side, x : x + side], turns)
            part = np.ascontiguousarray(part[:, ::-1] if mirrored else part)
            tensor = torch.from_numpy(part)
            found[name].append(tensor.permute(2, 0, 1) if tensor.ndim == 3 else tensor[None])
    return {k: torch.stack(v).float() / 255 for k, v in found.items()}
