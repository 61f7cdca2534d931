"""Scenes for the learned refinement (core/refine/learned.py): drawings, and subjects of photographs on other grounds.

A photograph has no measured alpha, but its subject put over another ground has: the alpha it was composed with is the
truth of the composite, whatever it is of the photograph. So soft fur comes from photographs, strands from drawings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from ..core.foreground.estimate import estimate_foreground
from ..core.network.weights import Network
from ..core.recipes import recipe
from ..core.refine.islands import remove_islands
from ..core.refine.refine import refine
from ..core.segment.closer_look import look
from . import drawn, files, motifs
from .camera import draw_camera
from .clutter import behind as scenery
from .motifs import Desk, Layer
from .placing import bystanders, small
from .scene import Scene
from .shapes import Body, Bytes
from .strands import Sheer, Strokes
from .views import draw_look, see

LONGEST = 1024  # pixels of a photograph's long side
SHARE = (0.02, 0.85)  # of the photograph: a subject smaller or larger than this is passed over
VAGUE = 0.06  # mean of 4a(1-a): above this the mask tells nothing
SOFT = {"radius": 16.0, "passes": 2, "black": 0.06, "white": 0.94}  # edges softer than a recipe would have them
SIZES = (640, 896, 1280, 1920)  # pixels of a scene's side: the network's cells are 1.4 to 4.3 of them wide


def subjects(
    photos: Sequence[Path], network: Network, cache: Path, progress: Callable[[int, int], None] | None = None
) -> list[Path]:
    """Cut the subjects out, once: an .npz a photograph in `cache`, of alpha [H,W] and straight colours [H,W,3], uint8.

    Returns the files of those that are worth compositing.
    """
    cache.mkdir(parents=True, exist_ok=True)
    found = [cache / f"{p.stem}.npz" for p in photos]
    for done, (photo, path) in enumerate(zip(photos, found, strict=True)):
        if progress:
            progress(done, len(photos))
        if not path.is_file():
            alpha, colour = _cut(files.colours(photo, LONGEST), network)
            whole = path.with_name(f".{path.name}")
            with open(whole, "wb") as f:
                np.savez(f, alpha=alpha, colour=colour)
            whole.replace(path)
    return [p for p in found if worth(subject(p)[0])]


def subject(path: Path) -> tuple[Bytes, Bytes]:
    """alpha [H,W] and colours [H,W,3] of one of the files of `subjects`."""
    with np.load(path, allow_pickle=False) as kept:
        return kept["alpha"], kept["colour"]


@torch.inference_mode()
def _cut(photo: Bytes, network: Network) -> tuple[Bytes, Bytes]:
    image = torch.from_numpy(photo).permute(2, 0, 1)[None].float() / 255
    balanced = recipe("balanced")
    coarse = look(network, image, **balanced.part("look"))
    alpha, _ = remove_islands(refine(image, coarse, **SOFT), **balanced.part("islands"))  # type: ignore[arg-type]
    colour = estimate_foreground(image, alpha)
    planes = [(255 * x[0].clamp(0, 1)).round().to(torch.uint8).permute(1, 2, 0).numpy() for x in (alpha, colour)]
    return np.ascontiguousarray(planes[0][..., 0]), np.ascontiguousarray(planes[1])


def worth(alpha: Bytes) -> bool:
    """Whether a subject's alpha [H,W] is worth compositing: neither a speck nor the whole photograph, nor a haze."""
    a = alpha.astype(np.float32) / 255
    return bool(SHARE[0] < a.mean() < SHARE[1] and (4 * a * (1 - a)).mean() < VAGUE)


def sheer(rng: np.random.Generator, layers: Sequence[Layer]) -> list[Layer]:
    """The same layers, six in ten of the strands translucent: thinner than a pixel is what hair mostly is."""
    return [
        Sheer(x, float(rng.uniform(0.2, 1))) if isinstance(x, Strokes) and rng.random() < 0.6 else x for x in layers
    ]


def composite(
    rng: np.random.Generator,
    alpha: Bytes,
    colour: Bytes,
    behind: Bytes,
    size: int,
    strands: float = 0.6,
    cluttered: float = 0.0,
    others: Sequence[tuple[Bytes, Bytes]] = (),
) -> Scene:
    """A photograph's subject, alpha [H,W] and colours [H,W,3], over a part of another photograph `behind`; a share
    `strands` of them with hair or whiskers drawn on it, a share `cluttered` with something drawn behind it that is no
    subject (clutter.py), and as many smaller in the frame than photographs have theirs. others: subjects that stand
    behind it and are none."""
    view = draw_look(rng, alpha)
    if cluttered and rng.random() < cluttered:
        view = small(rng, alpha) or view
    cover, seen = see(alpha, view, size), see(colour, view, size)
    if rng.random() < 0.3:  # harder or softer than the filter's habit
        cover = (255 * (cover / 255.0) ** rng.uniform(0.6, 1.6)).round().astype(np.uint8)
    back, blur = drawn.ground(rng, behind, size)
    if rng.random() < 0.3 and cover.any():  # a ground of the subject's colour
        inside = seen[cover > 200].mean(0) if (cover > 200).any() else seen.mean((0, 1))
        back = (back + rng.uniform(0.4, 1) * (inside - back.mean((0, 1)))).clip(0, 255).astype(np.uint8)
    desk = Desk(rng, size, seen, back)
    if rng.random() < strands:
        for _ in range(int(rng.integers(1, 4))):
            (motifs.hair_on if rng.random() < 0.8 else motifs.whiskers_on)(desk, cover, seen)
    full = np.full((size, size), 255, np.uint8)
    layers = [Body(cover, seen), *sheer(rng, desk.layers)]
    if rng.random() < 0.4:  # hair behind the body too
        layers = layers[::-1]
    clutter: Sequence[Layer] = ()
    if cluttered and rng.random() < cluttered:
        clutter, blur = scenery(rng, behind, back, size)
    if others:
        people, blur = bystanders(rng, others, cover)
        clutter = [*people, *clutter]
    return Scene(back, np.zeros_like(full), full, layers, clutter, blur, draw_camera(rng), kind="composite")
