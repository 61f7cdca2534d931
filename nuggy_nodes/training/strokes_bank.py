"""The bank of canvases on disk, a file a canvas, made once, by seed and number alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor

from ..core.errors import NuggyError
from ..core.network.weights import Network
from ..core.segment.learnt import LOOK, maps
from ..core.segment.predict import predict
from ..core.segment.stroke_network import MAPS
from ..core.segment.strokes import GRID
from .layouts import pictures
from .refiner_scenes import subjects
from .shapes import Bytes
from .strokes_canvas import SIDE, Photograph, Pools, canvas
from .strokes_clusters import blob, clusters
from .strokes_components import Components, components
from .strokes_matter import Floats

T = TypeVar("T")
HELD_BACK = 10  # one photograph, ground and canvas in so many is never trained on
SAMPLED, CELLS = 6, 7  # one canvas, and one of its cells, in so many says what the components are


@dataclass(frozen=True)
class Canvas:
    """On a grid of h x w cells, 0..1: image [h,w,3]; layers, clusters [N,h,w]; blob, answer (the segmentation
    network's) [h,w]. learnt: principal components of that network's maps, [LEARNT,m,n]."""

    image: Floats
    layers: Floats
    clusters: Floats
    blob: Floats
    answer: Floats
    learnt: Tensor


class Bank:
    """photos: with a subject; backgrounds: without one. folder: of the run; its `subjects/` and `canvases/` are filled
    here."""

    def __init__(self, photos: Path, backgrounds: Path, folder: Path, seed: int = 0):
        self.seed, self.folder = seed, folder
        self.photos, self.grounds = pictures(photos), pictures(backgrounds)

    def path(self, number: int) -> Path:
        return self.folder / "canvases" / f"{number:05d}.npz"

    def fill(
        self,
        canvases: int,
        network: Network,
        progress: Callable[[int, int], None],
        until: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Make the canvases that are missing of numbers 0 to `canvases`. Returns whether all are there; `until` may
        end it between two."""
        (self.folder / "canvases").mkdir(parents=True, exist_ok=True)
        missing = [i for i in range(canvases) if not self.path(i).is_file()]
        if not missing:
            return True
        cache = self.folder / "subjects"
        worth = set(subjects(self.photos, network, cache, lambda d, n: progress(d, n + len(missing))))
        every = [Photograph(p, c, c in worth) for p, c in ((p, cache / f"{p.stem}.npz") for p in self.photos)]
        pools = [Pools(_side(every, held), _side(self.grounds, held)) for held in (False, True)]
        if not all(p.worth and p.grounds for p in pools):
            raise NuggyError("a subject worth it and a background are needed to train on, and of the photographs held "
                             f"back (one in {HELD_BACK}, by name); give more")  # fmt: skip
        for done, number in enumerate(missing):
            if until():
                return False
            progress(len(self.photos) + done, len(self.photos) + len(missing))
            self._write(self.path(number), self._made(number, pools[_held(number)], network))
        return True

    def _made(self, number: int, pools: Pools, network: Network) -> dict[str, Bytes | Floats]:
        rng = np.random.default_rng((self.seed, number))
        layers: list[Floats] = []
        while not layers:
            image, layers = canvas(rng, pools)
        shown = torch.from_numpy(image).permute(2, 0, 1)[None]
        answer = predict(network, shown, (LOOK,))[0, 0].float().cpu().numpy()
        whole = np.clip(sum(layers), 0, 1).astype(np.float32)
        height, width = whole.shape
        parts = clusters(rng, image, whole)
        seen: dict[str, Bytes | Floats] = {
            "image": _small(image, whole.shape),
            "layers": np.stack([_small(x, whole.shape) for x in layers]),
            "clusters": np.stack([_small(x, whole.shape) for x in (*parts, np.zeros_like(whole))])[:-1],
            "blob": _small(blob(rng, height, width), whole.shape),
            "answer": _small(answer, whole.shape),
        }
        return seen | {"maps": maps(network, shown)[0].cpu().to(torch.float16).numpy()}

    @staticmethod
    def _write(path: Path, made: dict[str, Bytes | Floats]) -> None:
        whole = path.with_suffix(".part")
        with open(whole, "wb") as f:
            np.savez(f, **made)  # type: ignore[arg-type]
        whole.replace(path)

    def components(self, canvases: int) -> Components:
        """The principal components of the maps of canvases that train."""
        some = [i for i in range(canvases) if not _held(i)][::SAMPLED]
        return components(self._read(i)["maps"].reshape(MAPS, -1).T[::CELLS] for i in some)

    def read(self, canvases: int, held_back: bool, found: Components) -> list[Canvas]:
        """The canvases held back or those that train, their maps as components."""
        out = []
        for number in (i for i in range(canvases) if _held(i) == held_back):
            kept = self._read(number)
            maps_ = torch.from_numpy(kept.pop("maps").astype(np.float32))
            planes = {k: np.asarray(v / np.float32(255), np.float32) for k, v in kept.items()}
            out.append(Canvas(**planes, learnt=found.of(maps_)))
        if not out:
            raise NuggyError(f"{self.folder / 'canvases'}: too few canvases; one in {HELD_BACK} is held back")
        return out

    def _read(self, number: int) -> dict[str, Any]:
        with np.load(self.path(number), allow_pickle=False) as kept:
            return {k: kept[k] for k in kept.files}


def _held(number: int) -> bool:
    return number % HELD_BACK == 0


def _side(every: Sequence[T], held: bool) -> list[T]:
    return [x for i, x in enumerate(every) if _held(i) == held]


def _small(plane: Floats, shape: tuple[int, ...]) -> Bytes:
    """A plane or picture, 0..1, on the grid of a canvas of `shape`, in 8 bits."""
    size = tuple(GRID * n // SIDE for n in reversed(shape))
    how = cv2.INTER_AREA if plane.shape[0] > size[1] else cv2.INTER_LINEAR
    small = cv2.resize(np.ascontiguousarray(plane), size, interpolation=how)
    return np.asarray((255 * small.clip(0, 1)).round(), np.uint8)
