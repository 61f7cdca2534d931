"""The bank of a refinement's run: windows of scenes on disk, a file a scene, made once, by seed and number alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
from .refiner_closeups import WHOLE, closeup
from .refiner_scenes import SIZES, composite, sheer, subject, subjects
from .scene import Scene, render
from .shapes import Bytes

COMPOSITES = 0.6  # of the scenes; the others are drawings
ASKED = 0.5  # of the scenes go through the network; the others' coarse masks are drawn too
A_SCENE, A_CLOSEUP = 24, 6  # windows at the most
CLOSEUPS = 4  # for every scene
HELD_BACK = 16  # one scene in so many is never trained on


class Bank:
    """photos: with a subject; backgrounds: without one. folder: of the run; its `subjects/` and `windows/` are filled
    here."""

    def __init__(self, photos: Path, backgrounds: Path, folder: Path, seed: int = 0):
        self.seed, self.folder = seed, folder
        self.photos, self.grounds = pictures(photos), pictures(backgrounds)

    def path(self, number: int, kind: str = "scene") -> Path:
        return self.folder / "windows" / f"{kind}-{number:05d}.npz"

    def fill(
        self,
        scenes: int,
        network: Network,
        progress: Callable[[str, int, int], None],
        until: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Make the windows of scenes 0 to `scenes` and of CLOSEUPS times as many close-ups, those that are missing.
        progress(what, done, total). Returns whether all are there; `until` may end it between two."""
        (self.folder / "windows").mkdir(parents=True, exist_ok=True)
        missing = [(kind, i) for kind, i in self._all(scenes) if not self.path(i, kind).is_file()]
        if not missing:
            return True
        cut = subjects(self.photos, network, self.folder / "subjects", lambda d, n: progress("subjects", d, n))
        if not cut:
            raise NuggyError("no subject was found on the photographs; give others")
        for done, (kind, number) in enumerate(missing):
            if until():
                return False
            progress("scenes", done, len(missing))
            rng = np.random.default_rng((self.seed, number, kind == "closeup"))
            made = self._closeup(rng) if kind == "closeup" else self._windows(rng, cut, network)
            self._write(self.path(number, kind), made)
        return True

    @staticmethod
    def _all(scenes: int) -> Iterator[tuple[str, int]]:
        yield from (("scene", i) for i in range(scenes))
        yield from (("closeup", i) for i in range(CLOSEUPS * scenes))

    @torch.inference_mode()
    def _closeup(self, rng: np.random.Generator) -> Windows:
        batch = render([closeup(rng, *(self._any(rng) for _ in range(2)))], "cpu")
        whole = round(float(np.exp(rng.uniform(*np.log(WHOLE)))))
        used = recipe("balanced", passes=2 if rng.random() < 0.2 else 1, detail=0.0)
        return windows(batch.image, batch.alpha, imagined(batch.alpha, rng, whole), used, rng, A_CLOSEUP, whole)

    @torch.inference_mode()
    def _windows(self, rng: np.random.Generator, cut: Sequence[Path], network: Network) -> Windows:
        batch = render([self._scene(rng, cut)], "cpu")
        coarse = answered(batch.image, network, rng) if rng.random() < ASKED else imagined(batch.alpha, rng)
        used = recipe("balanced", passes=2 if rng.random() < 0.2 else 1, detail=0.0)
        return windows(batch.image, batch.alpha, coarse, used, rng, A_SCENE)

    def _any(self, rng: np.random.Generator) -> Bytes:
        return _photo(self.grounds[int(rng.integers(len(self.grounds)))])

    def _scene(self, rng: np.random.Generator, cut: Sequence[Path]) -> Scene:
        size = int(rng.choice(SIZES))
        behind, other = (self._any(rng) for _ in range(2))
        if rng.random() < COMPOSITES:
            return composite(rng, *subject(cut[int(rng.integers(len(cut)))]), behind, size)
        scene = drawn.drawn(rng, behind, other, size)
        scene.layers = sheer(rng, scene.layers)
        return scene

    @staticmethod
    def _write(path: Path, made: Windows) -> None:
        whole = path.with_suffix(".part")
        with open(whole, "wb") as f:
            np.savez_compressed(f, **vars(made))
        whole.replace(path)

    def read(self, scenes: int, held_back: bool) -> Windows:
        """The windows of the scenes and close-ups that are there, those held back or those that train."""
        every = (self.path(i, kind) for kind, i in self._all(scenes) if (i % HELD_BACK == 0) == held_back)
        parts: dict[str, list[Bytes]] = {}
        for path in every:
            if not path.is_file():
                continue
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
