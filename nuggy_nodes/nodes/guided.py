"""What the optional masks of NuggyTTAMask say, as the core's Guidance, and the finished masks under it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from ..core.guided_answer import Seen
from ..core.network.weights import Network
from ..core.ops.connected_components import components
from ..core.ops.resample import enlarge
from ..core.pipeline import after_network, answer
from ..core.recipes import Recipe
from ..core.segment.guidance import Box, Guidance
from ..core.segment.views import View
from ..core.work import Work
from .device import Place, nth
from .progress import Bar
from .tensors import mask_for

GUIDES = ("mask", "box")
MOST_BOXES = 8  # a mask of more areas is one box around them all
BYTES_PER_PIXEL = 200


def guidance(images: Tensor, guide_as: str, marks: Mapping[str, Tensor | None]) -> list[Guidance]:
    """What is said of each photograph, planes fitted to it.

    Args:
        images: photographs [B,3,H,W].
        guide_as: whether the guide mask is a rough "mask" or shows a "box".
        marks: MASKs by the inputs' names, or None.

    Returns:
        One Guidance a photograph.

    Raises:
        InputError: a mask of another shape, or marks that contradict each other.
    """
    given: dict[str, Any] = {
        n.removeprefix("guide_"): mask_for(images, x, n) for n, x in marks.items() if x is not None
    }
    made = Guidance(**given).fitted(images)
    said = [made.of(i) for i in range(len(images))]
    if guide_as == "box":
        said = [replace(s, mask=None, boxes=boxes(s.mask)) for s in said]
    return [replace(s, **_none(s)) for s in said]


def _planes(said: Guidance) -> dict[str, Tensor]:
    found = {n: getattr(said, n) for n in ("mask", "keep", "drop", "unsure")}
    return {n: p for n, p in found.items() if p is not None}


def _none(said: Guidance) -> dict[str, Any]:
    """Planes of this photograph that mark nothing are left out, though other photographs' of the batch do."""
    return {n: None for n, p in _planes(said).items() if not bool(p.any())}


def boxes(mask: Tensor | None) -> tuple[Box, ...]:
    """The boxes around the areas of a mask.

    Args:
        mask: [1,1,H,W], 0..1, or None.

    Returns:
        (x, y, width, height) each, in pixels; none for an empty mask.
    """
    if mask is None or not bool((mask > 0.5).any()):
        return ()
    inside = mask[0, 0].cpu() > 0.5
    left, top, right, bottom = components(inside, 8).boxes()
    if len(left) > MOST_BOXES:
        left, top, right, bottom = left.amin()[None], top.amin()[None], right.amax()[None], bottom.amax()[None]
    return tuple((float(x), float(y), float(u - x), float(v - y)) for x, y, u, v in zip(left, top, right, bottom))


def answers(
    model: Any, images: Tensor, said: Sequence[Guidance], recipe: Recipe, views: Sequence[View], how: str, looks: int,
    chunk: int, bar: Bar,
) -> Iterator[Tensor]:  # fmt: skip
    """Finished masks, as `cutout(..., guidance=...)` makes them: edges, islands, then what was said. The network is
    asked once for a photograph, and not where a rough mask takes its place.

    Args:
        model: the ManagedNetwork.
        images: photographs [B,3,H,W], 0..1.
        said: one Guidance a photograph.
        recipe: whose settings count after the network.
        views, how, looks, chunk: what the network is asked; as for closer_look.look.
        bar: is told of the progress.

    Returns:
        Masks [1,1,H,W], one after another.
    """
    place = Place(images, BYTES_PER_PIXEL)
    question = f"{[str(v) for v in views]} {how} {looks}"
    for i, spoken in enumerate(said):
        one = nth(images, i)
        mask, found, learnt = None, {}, {}
        if spoken.mask is None:
            kept = model.kept.find(one, question, lambda one=one: next(model.masks(one, views, how, looks, chunk)))
            mask, found, learnt = kept.mask, kept.boxes, kept.learnt
            strokes = spoken.keep is not None or spoken.drop is not None
            if spoken.boxes or (strokes and not learnt):
                model.load(1, 1, tuple(one.shape[-2:]), views, 1)
        bar(i, len(said))
        network = model.network if spoken.mask is None else None

        def work(image: Tensor, spoken: Guidance = spoken, mask: Tensor | None = mask, found: dict[Any, Tensor] = found,
                 learnt: dict[int, Tensor | None] = learnt, network: Network | None = network) -> Tensor:  # fmt: skip
            alpha = None
            if mask is not None:
                alpha, _ = after_network(image, enlarge(mask.to(image.device), *image.shape[-2:]), recipe, Work())
            moved: dict[str, Any] = {n: p.to(image.device) for n, p in _planes(spoken).items()}
            at = {k: v.to(image.device) for k, v in found.items()}
            seen = Seen(image, alpha, [], recipe, image, None, Work(), network, boxes=at, learnt=learnt)
            made = answer(seen, replace(spoken, **moved)).alpha
            found.update({k: v.cpu() for k, v in seen.boxes.items()})
            return made

        yield place.run(work, one)
    bar(len(said), len(said))
