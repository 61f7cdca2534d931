"""The bank of a refinement's run: windows of scenes on disk, a file a scene, made once, by seed and number alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from ..core.errors import NuggyError
from ..core.network.weights import Network
from ..core.recipes import recipe
from . import drawn, files
from .layouts import pictures
from .refiner_answers import Windows, answered, imagined, windows
from .refiner_scenes import SIZES, composite, sheer, subjects
from .scene import Scene, render
from .shapes import Bytes

COMPOSITES = 0.6  # of the scenes; the others are drawings
ASKED = 0.5  # of the scenes go through the network; the others' coarse masks are drawn too
A_SCENE = 24  # windows at the most
HELD_BACK = 16  # one scene in so many is never trained on


class Bank:
    """photos: with a subject; backgrounds: without one. folder: of the run; its `subjects/` and `windows/` are filled
    here."""

    def __init__(self, photos: Path, backgrounds: Path, folder: Path, seed: int = 0):
        self.seed, self.folder = seed, folder
        self.photos, self.grounds = pictures(photos), pictures(backgrounds)

    def path(self, number: int) -> Path:
        return self.folder / "windows" / f"{number:05d}.npz"

    def fill(
        self,
        scenes: int,
        network: Network,
        progress: Callable[[str, int, int], None],
        until: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Make the windows of scenes 0 to `scenes`, those that are missing. progress(what, done, total). Returns
        whether all are there; `until` may end it between two scenes."""
        (self.folder / "windows").mkdir(parents=True, exist_ok=True)
        missing = [i for i in range(scenes) if not self.path(i).is_file()]
        if not missing:
            return True
        cut = subjects(self.photos, network, self.folder / "subjects", lambda d, n: progress("subjects", d, n))
        if not cut:
            raise NuggyError("no subject was found on the photographs; give others")
        for done, number in enumerate(missing):
            if until():
                return False
            progress("scenes", done, len(missing))
            self._write(number, self._windows(number, cut, network))
        return True

    @torch.inference_mode()
    def _windows(self, number: int, cut: Sequence[Path], network: Network) -> Windows:
        rng = np.random.default_rng((self.seed, number))
        batch = render([self._scene(rng, cut)], "cpu")
        coarse = answered(batch.image, network, rng) if rng.random() < ASKED else imagined(batch.alpha, rng)
        used = recipe("balanced", passes=2 if rng.random() < 0.2 else 1)
        return windows(batch.image, batch.alpha, coarse, used, rng, A_SCENE)

    def _scene(self, rng: np.random.Generator, cut: Sequence[Path]) -> Scene:
        size = int(rng.choice(SIZES))
        behind, other = (_photo(self.grounds[int(rng.integers(len(self.grounds)))]) for _ in range(2))
        if rng.random() < COMPOSITES:
            return composite(rng, cut[int(rng.integers(len(cut)))], behind, size)
        scene = drawn.drawn(rng, behind, other, size)
        scene.layers = sheer(rng, scene.layers)
        return scene

    def _write(self, number: int, made: Windows) -> None:
        whole = self.path(number).with_suffix(".part")
        with open(whole, "wb") as f:
            np.savez_compressed(f, **vars(made))
        whole.replace(self.path(number))

    def read(self, scenes: int, held_back: bool) -> Windows:
        """The windows of the scenes that are there, those held back or those that train."""
        found = [self.path(i) for i in range(scenes) if (i % HELD_BACK == 0) == held_back and self.path(i).is_file()]
        parts: dict[str, list[Bytes]] = {}
        for path in found:
            with np.load(path, allow_pickle=False) as kept:
                for name in kept.files:
                    if len(kept[name]):
                        parts.setdefault(name, []).append(kept[name])
        if not parts:
            raise NuggyError(f"{self.folder / 'windows'}: holds no window; give more scenes")
        return Windows(**{k: np.concatenate(v) for k, v in parts.items()})


@lru_cache(maxsize=64)
def _photo(path: Path) -> Bytes:
    return files.colours(path, 1280)
