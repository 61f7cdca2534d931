"""A photograph's answer after its user has spoken: the network's once, then what Guidance changes of it.

seen = look_once(images, network, "default")        # pipeline.py; seconds: the network
answer(seen, Guidance(keep=stroke)).rgba()          # a fraction of one, again and again
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from .around import around
from .checks import check_image
from .errors import InputError
from .network.protocol import AnyNetwork
from .ops.box_filter import box_mean
from .ops.resample import enlarge
from .recipes import Recipe
from .recipes import recipe as find_recipe
from .refine.islands import IslandReport, remove_islands
from .refine.refine import refine
from .refine.rough import passes, refine_rough
from .segment.box import inside_boxes, seen_in_boxes, weighed, whole
from .segment.guidance import Box, Guidance
from .segment.hanging import without_hanging
from .segment.learnt import learnt
from .segment.strokes import GRID, changed, spread
from .work import Work

EDGE = 4.0  # cells of the strokes' grid around a change in which the photograph tells its edge


@dataclass
class Seen:
    """What is kept between strokes: images [B,3,H,W] as the network was shown them; alpha [B,1,H,W], found without
    guidance, or None where no network was asked, and its islands; photographs and opacity as they were given; coarse
    [B,1,n,n], the network's own answer; what the network said of boxes that were asked for, and what it made of
    photographs on which strokes were drawn."""

    images: Tensor
    alpha: Tensor | None
    islands: list[IslandReport]
    recipe: Recipe
    photographs: Tensor
    opacity: Tensor | None
    work: Work
    network: AnyNetwork | None = None
    coarse: Tensor | None = None
    boxes: dict[tuple[int, tuple[Box, ...]], Tensor] = field(default_factory=dict)
    learnt: dict[int, Tensor | None] = field(default_factory=dict)


def guided(seen: Seen, guidance: Guidance) -> tuple[Tensor, list[IslandReport]]:
    """The masks of photographs under guidance.

    In this order: `mask` in place of the network's answer, with the photograph's edges (refine.rough) and without its
    islands; `boxes` (segment.box); `unsure`; then the strokes (segment.strokes), which are obeyed under themselves
    whatever else was said. A photograph for which nothing new is said keeps its alpha bit for bit.

    Args:
        seen: what was looked at once.
        guidance: what the user says, not yet checked against the photographs.

    Returns:
        Masks [B,1,H,W], 0..1, and what islands were removed of rough masks.

    Raises:
        InputError: guidance that does not fit, or no mask where the network was not asked.
    """
    check_image(seen.images)
    guidance = guidance.fitted(seen.images)
    if guidance.mask is None and seen.alpha is None:
        raise InputError("without a network the subject must be said: the mask given is empty; give one with a subject")
    if guidance.mask is not None and guidance.unsure is None and bool((guidance.mask == 1).all()):
        return _obey(torch.ones_like(seen.images[:, :1], dtype=torch.float32), guidance), seen.islands
    parts, islands = [], []
    for i in range(len(seen.images)):
        alpha, found = _one(seen, i, guidance.of(i))
        parts.append(alpha)
        islands += found
    return torch.cat(parts), islands


def _one(seen: Seen, i: int, said: Guidance) -> tuple[Tensor, list[IslandReport]]:
    image, recipe = seen.images[i : i + 1].float(), seen.recipe
    islands = seen.islands[i : i + 1]
    if said.mask is not None:
        alpha = refine_rough(image, said.mask, said.uncertainty, said.unsure, recipe.detail)
        if recipe.islands != "all" or recipe.max_hole:
            alpha, islands = remove_islands(alpha, **recipe.part("islands"))
    else:
        assert seen.alpha is not None
        alpha = seen.alpha[i : i + 1].float()
    if said.boxes:
        alpha = _boxed(seen, i, image, alpha, said)
    if said.unsure is not None and said.mask is None:
        alpha = refine_rough(image, alpha, unsure=said.unsure, detail=recipe.detail)
    if said.keep is not None or said.drop is not None:
        alpha = _obey(_stroked(seen, i, image, alpha, said), said)
    return alpha, islands


def _boxed(seen: Seen, i: int, image: Tensor, alpha: Tensor, said: Guidance) -> Tensor:
    """The mask cut to boxes; where the network's views of them say otherwise, as consensus weighs them. A rough mask is
    only cut: it says what the subject is. A box around the whole photograph says nothing."""
    inside = inside_boxes(said.boxes, alpha)
    cut = alpha * inside
    if seen.network is None or said.mask is not None or whole(said.boxes, *cut.shape[-2:]):
        return cut
    key = (i, tuple(said.boxes))
    if key not in seen.boxes:
        seen.boxes[key] = seen_in_boxes(seen.network, image, said.boxes)
    found, changed = weighed(alpha, inside, seen.boxes[key])
    fresh = refine(image, found, **seen.recipe.part("edge")) * inside
    return torch.lerp(cut, fresh, enlarge(changed, *cut.shape[-2:]).clamp(0, 1))


def _stroked(seen: Seen, i: int, image: Tensor, alpha: Tensor, said: Guidance) -> Tensor:
    """What the strokes change, with the photograph's edges; elsewhere alpha as it was."""

    def maps() -> Tensor | None:
        if i not in seen.learnt:
            seen.learnt[i] = learnt(seen.network, image)
        return seen.learnt[i]

    found = spread(image, alpha, said.keep, said.drop, maps)
    if found is None:
        return alpha
    top, bottom, left, right = found.window
    here = (..., slice(top, bottom), slice(left, right))
    height, width = bottom - top, right - left
    rough = changed(alpha[here], found)
    radius = max(round(EDGE * max(height, width) / GRID), 1)
    share = box_mean(enlarge(torch.maximum(found.added, found.taken), height, width), radius)
    band = ((share * 4).clamp(max=1) * ((1 - share) * 4).clamp(max=1)).clamp(0, 1)  # 1 at the change's edge
    edge = passes(image[here], rough, band > 0, radius)
    out = alpha.clone()
    out[here] = torch.lerp(rough, edge, band)
    return out if said.drop is None else without_hanging(out, alpha, said.keep)


def _obey(alpha: Tensor, said: Guidance) -> Tensor:
    """1 under what is kept, 0 under what is dropped."""
    if said.keep is not None:
        alpha = torch.maximum(alpha, said.keep)
    return alpha if said.drop is None else alpha * (1 - said.drop)


def asks_network(seen: Seen, recipe: str | Recipe) -> bool:
    """Whether another recipe has other settings for the network's own part.

    Args:
        seen: of look_once.
        recipe: a name or a Recipe.

    Returns:
        False where `look_again` does only what comes after the network.

    Raises:
        InputError: an unknown recipe, or one that is not for this network.
    """
    recipe = find_recipe(recipe)
    if seen.network is None or seen.coarse is None:
        return True
    recipe = around(recipe, seen.network.form)
    return "demo" in (recipe.name, seen.recipe.name) or recipe.part("look") != seen.recipe.part("look")
