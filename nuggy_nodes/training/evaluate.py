"""How good are weights? The repository's own benchmarks, on pictures that are never trained on."""

from __future__ import annotations

import importlib
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..core import pipeline
from ..core.errors import NuggyError
from ..core.network.weights import Network
from ..core.segment.predict import Progress
from .mix import Evaluate

Figures = dict[str, float]
COLUMNS = ("dev_sad", "dev_grad", "dev_thin", "scenes_sad", "thin_recall", "thin_precision", "score")


@dataclass
class Measure:
    """Measures weights as `settings` says. Pictures are read and drawn once."""

    settings: Evaluate
    _sets: dict[str, list[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            self.quality: Any = importlib.import_module("benchmarks.quality")
            self.metrics: Any = importlib.import_module("benchmarks.metrics")
            self.thin: Any = importlib.import_module("benchmarks.thin")
        except ImportError as e:
            raise NuggyError(
                f"measuring uses benchmarks/ of Nuggy's repository, which is not here ({e}); install the repository "
                "with pip install -e, or set every = 0 in [evaluate]"
            ) from e
        for name in ("dev", "scenes"):
            folder: Path | None = getattr(self.settings, name)
            if folder is not None:
                if not (folder / "alpha").is_dir():
                    raise NuggyError(f"{folder}: measuring needs image/ and alpha/ there ([evaluate] {name})")
                try:
                    self._sets[name] = self._some(list(self.quality.cases(folder)))
                except SystemExit as e:  # the benchmark is a script: it ends with a sentence
                    raise NuggyError(f"[evaluate] {name}: {e}") from e
        if self.settings.thin:
            root = Path(str(self.thin.__file__)).resolve().parents[1]
            drawn = [(c.picture, c.alpha, self.thin.bands(c)) for _, c in self.thin.draw(1.0, root / "samples")]
            self._sets["thin"] = self._some(drawn)

    def _some(self, every: list[Any]) -> list[Any]:
        """`first` of them, evenly spread."""
        n = self.settings.first
        return every if not n or n >= len(every) else [every[i * len(every) // n] for i in range(n)]

    @property
    def count(self) -> int:
        """How many pictures are measured."""
        return sum(len(pictures) for pictures in self._sets.values())

    def __call__(
        self, network: Network, original: Figures | None = None, progress: Progress = lambda *_: None
    ) -> Figures:
        """Figures of a network: SAD in thousands of pixels, gradient error, recall and precision of strands of 1 to 2
        pixels, all means; and `score` where the original weights' figures are given. progress(done, total)
        is called before each picture."""
        done = 0

        def alpha(picture: np.ndarray) -> np.ndarray:
            nonlocal done
            progress(done, self.count)
            done += 1
            return self._alpha(picture, network)

        out: Figures = {}
        for name in ("dev", "scenes"):
            found = [(alpha(np.asarray(image)), truth) for _, image, truth in self._sets.get(name, ())]
            if not found:
                continue
            out[f"{name}_sad"] = statistics.mean(self.metrics.sad(a, t) for a, t in found)
            if name == "dev":
                out["dev_grad"] = statistics.mean(self.metrics.gradient(a, t) for a, t in found)
                recalls = [self.metrics.thin_recall(a, t) for a, t in found]
                out["dev_thin"] = statistics.mean([r for r in recalls if not np.isnan(r)] or [0.0])
        if self._sets.get("thin"):
            sums = sum(self.thin.tally(alpha(p), truth, band) for p, truth, band in self._sets["thin"])
            out["thin_recall"], out["thin_precision"], _ = self.thin.scores(sums[:2].sum(0))
        if original is not None:
            out["score"] = score(out, original)
        return out

    def _alpha(self, picture: np.ndarray, network: Network) -> np.ndarray:
        device = next(network.model.parameters()).device
        image = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float().div_(255).to(device)
        alpha = pipeline.cutout(image, network, self.settings.recipe).alpha
        return np.asarray(alpha[0, 0].float().clamp(0, 1).cpu().numpy())


def score(figures: Figures, original: Figures) -> float:
    """One number for "better by all three", smaller is better; the original weights have 1.

    The mean of what is left of each error: SAD on dev, SAD on scenes, and 1 - F of the drawn strands, F the harmonic
    mean of their recall and precision (recall alone is had by filling every net). Where scenes are worse than before,
    three times the loss is added: nothing else pays for inventing subjects.
    """

    def missed(f: Figures) -> float:
        return 1 - 2 * f["thin_recall"] * f["thin_precision"] / max(f["thin_recall"] + f["thin_precision"], 1e-9)

    left = [figures[k] / max(original[k], 1e-9) for k in ("dev_sad", "scenes_sad") if k in original]
    if "thin_recall" in original:
        left.append(missed(figures) / max(missed(original), 1e-9))
    if not left:
        return 1.0
    worse = max(figures["scenes_sad"] / max(original["scenes_sad"], 1e-9) - 1, 0) if "scenes_sad" in original else 0.0
    return float(np.mean(left) + 3 * worse)
