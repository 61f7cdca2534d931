"""Training of the learned refinement: `nuggy train refiner`. On a CPU; stops and goes on bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..core.ops.cells import in_pixels
from ..core.refine.learned import GATE
from ..core.refine.learned_features import LATTICE, features, local_colours
from ..core.refine.learned_network import Refiner
from .refiner_answers import WINDOW, Windows
from .refiner_loss import loss
from .small_loop import Pace, SmallTrainer

SIDE, BATCH = 128, 10  # pixels of a window that is shown; windows a step
PACE = Pace(rate=1.2e-3, warm_up=200, last=0.03, decay=0.999)  # at twice the rate it was dead after a few steps
PLAIN = 0.15  # of the windows start from the coarse mask, as if there were no filter


class RefinerTrainer(SmallTrainer[Refiner]):
    """A run in a folder. train, held: windows; steps: of the whole run (the rate falls to nothing over them)."""

    def __init__(self, train: Windows, held: Windows, folder: Path, steps: int, seed: int = 0, progress: bool = False):
        self.windows, self.held = train, held
        terms = {"windows": len(train.image)}
        super().__init__(Refiner, "refiner", folder, steps, seed, PACE, ("held", "held_before"), terms, progress)

    def loss(self, rng: np.random.Generator) -> Tensor:
        shown = drawn_batch(self.windows, rng)
        return loss(changed(self.network, shown), shown["alpha"], shown["before"], shown["believed"])

    def measured(self) -> dict[str, float]:
        return dict(zip(("held", "held_before"), self.measure()))

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


def changed(network: Refiner, shown: dict[str, Tensor]) -> Tensor:
    """The masks that a network makes of a batch, as core/refine/learned.py does, not clipped."""
    with torch.no_grad():
        height, width = shown["image"].shape[-2:]
        near = in_pixels(local_colours(shown["image"], shown["before"]), LATTICE, (0, height, 0, width))
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
