"""Draw number i of a training run: a scene that depends on the seed and i alone.

So nothing of the order of the data has to be kept to resume: draw i is the same whoever makes it, and when.
"""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from . import drawn, files, teacher
from .camera import draw_camera
from .layouts import Pair, pairs, pictures
from .mix import PAIRED, Mix, MixError, Source
from .refiner_scenes import composite, sheer, worth
from .scene import Ready, Scene, ready
from .shapes import Body, Bytes
from .views import draw_look, see

HELD_BACK = 1 << 40  # draws from this number on are never trained on


@lru_cache(maxsize=192)
def _photo(path: Path) -> Bytes:
    return files.colours(path, teacher.LONGEST)


class Draws(Dataset[Scene]):
    """Scenes by number. size: side of the square. teaching: photograph to the teacher's answer, for `photos`."""

    def __init__(self, mix: Mix, teaching: dict[Path, Path], size: int = 0):
        self.seed, self.size, self.teaching = mix.seed, size or mix.run.size, teaching
        self.sources = [s for s in mix.sources if s.weight > 0]
        shares = np.array([s.weight for s in self.sources])
        self.shares = shares / shares.sum()
        self.files: list[Sequence[Pair | Path]] = []
        self.grounds: list[list[Path]] = []
        for source in self.sources:
            self.files.append(_files(source))
            self.grounds.append([p for folder in source.backgrounds for p in pictures(folder)])

    @property
    def names(self) -> list[str]:
        """For each source, how many files it reads and a mark of their names, wherever they lie."""
        out = []
        for found, behind in zip(self.files, self.grounds, strict=True):
            named = [(f if isinstance(f, Path) else f.image).name for f in (*found, *behind)]
            out.append(f"{len(named)} ({hashlib.sha256(chr(0).join(named).encode()).hexdigest()[:8]})")
        return out

    def __getitem__(self, number: int) -> Scene:
        rng = np.random.default_rng((self.seed, number))
        which = int(rng.choice(len(self.sources), p=self.shares))
        source = self.sources[which]

        def pick(paths: Sequence[Any]) -> Any:
            return paths[int(rng.integers(len(paths)))]

        if source.layout == "drawn":
            grounds = self.grounds[which]
            scene = drawn.drawn(rng, _photo(pick(grounds)), _photo(pick(grounds)), self.size)
            scene.layers = sheer(rng, scene.layers)
        elif source.layout == "backgrounds":
            scene = _anchor(rng, _photo(pick(self.files[which])), self.size)
        elif source.layout == "photos":
            path = pick(self.files[which])
            if source.composite and rng.random() < source.composite and (cut := _cut(path, self.teaching[path])):
                ground = _photo(pick(self.grounds[which]))
                crowd = int(rng.integers(1, 7)) if source.clutter and rng.random() < source.clutter else 0
                near = (pick(self.files[which]) for _ in range(crowd))
                others = [other for p in near if p != path and (other := _cut(p, self.teaching[p]))]
                return composite(rng, *cut, ground, self.size, source.strands, source.clutter, others)
            scene = _taught(rng, _photo(path), *teacher.answer(self.teaching[path]), self.size)
            if rng.random() < source.strands:
                scene = drawn.adorned(rng, scene)
        else:
            behind = _photo(pick(self.grounds[which])) if rng.random() < source.composite else None
            scene = _paired(rng, pick(self.files[which]), behind, self.size)
        return scene

    def batches(self, first: int, last: int, batch: int, workers: int) -> DataLoader[Scene]:
        """Batches of scenes for the steps first..last-1, in order; made in `workers` processes ahead of time, those
        without strands painted there as well."""
        numbers = range(first * batch, last * batch)
        if workers:  # what every process would estimate for itself, known before they part
            for source, found in zip(self.sources, self.files):
                for path in found if source.layout == "photos" and source.composite else ():
                    assert isinstance(path, Path)
                    _cut(path, self.teaching[path])
        made = _painted if workers else list
        return DataLoader(self, batch, sampler=numbers, collate_fn=made, num_workers=workers, worker_init_fn=_alone)


def _painted(scenes: Sequence[Scene]) -> list[Scene | Ready]:
    return [ready(s) for s in scenes]


def _alone(_: int) -> None:
    """A worker: one thread, and deaf to the Ctrl-C that asks the run to stop in good order."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)  # none at all: a forked process has not got the threads of the one it came from
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _files(source: Source) -> Sequence[Pair | Path]:
    if source.layout in PAIRED:
        return pairs(source)[0]
    return [] if source.path is None or source.layout == "drawn" else pictures(source.path)


def photographs(mix: Mix) -> list[Path]:
    """The photographs that need a teacher."""
    return [p for s in mix.sources if s.layout == "photos" and s.path is not None for p in pictures(s.path)]


def _taught(rng: np.random.Generator, photo: Bytes, alpha: Bytes, believed: Bytes, size: int) -> Scene:
    if alpha.shape != photo.shape[:2]:
        raise MixError(
            f"a teacher's answer is {alpha.shape}, its photograph {photo.shape[:2]}; empty the run's teacher/"
        )
    look = draw_look(rng, alpha)
    seen, truth, trust = (see(x, look, size) for x in (photo, alpha, believed))
    return Scene(seen, truth, trust, camera=draw_camera(rng, lens=False), keep=True, kind="photo")


@lru_cache(maxsize=192)
def _cut(photo: Path, answer: Path) -> tuple[Bytes, Bytes] | None:
    """Alpha and straight colours of a photograph's subject as the teacher cuts it, if that is worth compositing."""
    alpha = teacher.answer(answer)[0]
    return (alpha, _foreground(_photo(photo), alpha)) if worth(alpha) else None


def _anchor(rng: np.random.Generator, photo: Bytes, size: int) -> Scene:
    none = np.zeros((size, size), np.uint8)
    return Scene(see(photo, draw_look(rng), size), none, none, camera=draw_camera(rng, lens=False), keep=True,
                 kind="background")  # fmt: skip


def _paired(rng: np.random.Generator, pair: Pair, behind: Bytes | None, size: int) -> Scene:
    image, alpha = _photo(pair.image), files.plane(pair.alpha, teacher.LONGEST)
    look = draw_look(rng, alpha)
    full = np.full((size, size), 255, np.uint8)
    if behind is None:
        camera = draw_camera(rng, lens=False)
        return Scene(see(image, look, size), see(alpha, look, size), full, camera=camera, keep=True, kind="pair")
    colour = _foreground(image, alpha) if pair.foreground is None else _photo(pair.foreground)
    back, _ = drawn.ground(rng, behind, size)
    subject = Body(see(alpha, look, size), see(colour, look, size))
    return Scene(back, np.zeros_like(full), full, [subject], camera=draw_camera(rng, lens=False), kind="composite")


def _foreground(image: Bytes, alpha: Bytes) -> Bytes:
    from ..core.foreground.estimate import estimate_foreground

    picture, cover = torch.from_numpy(image).permute(2, 0, 1)[None] / 255, torch.from_numpy(alpha)[None, None] / 255
    found = estimate_foreground(picture, cover)[0].permute(1, 2, 0)
    return np.asarray((found * 255).round().to(torch.uint8).numpy(), np.uint8)
