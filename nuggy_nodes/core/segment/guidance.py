"""Guidance: what a user says of a photograph's subject. One object for every door, each part optional, in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..checks import check_alpha, check_finite
from ..errors import InputError
from ..ops.resample import enlarge

Box = tuple[float, float, float, float]
PLANES = ("mask", "keep", "drop", "unsure")


@dataclass(frozen=True, eq=False)
class Guidance:
    """What the subject is, roughly; its edge is found in the photograph.

    mask, keep, drop, unsure are [B,1,h,w] floats, 0..1, at the photograph's size or smaller with its proportions; a
    batch of one serves all photographs. Above 0.5 a pixel of keep, drop or unsure is marked.

    mask: a rough mask from anywhere, hard or soft: it replaces the network's. All zeros mean "no mask said" (as
        LoadImage's for a picture without transparency); all ones mean that everything is subject.
    uncertainty: how far the mask's edge may be wrong, in pixels of the photograph; None: measured.
    boxes: (x, y, width, height) in pixels of the photograph; the subject lies in one of them, for every photograph of
        the batch.
    keep, drop: strokes or points over subject and over background. They are obeyed under themselves; a stroke against
        the mask spreads to what it means (segment.strokes). Where strokes of both cross, neither is said.
    unsure: where the mask is not to be believed (a refine-edge brush; a trimap's grey, with `mask`).
    """

    mask: Tensor | None = None
    uncertainty: float | None = None
    boxes: Sequence[Box] = ()
    keep: Tensor | None = None
    drop: Tensor | None = None
    unsure: Tensor | None = None

    def __bool__(self) -> bool:
        """Whether anything is said."""
        return bool(self.boxes) or any(getattr(self, name) is not None for name in PLANES)

    def fitted(self, images: Tensor) -> Guidance:
        """Checked against photographs: planes enlarged to their size, on their device, marks 0 or 1, and a plane that
        marks nothing left out.

        Args:
            images: [B,3,H,W].

        Returns:
            The guidance that fits.

        Raises:
            InputError: a plane, box or uncertainty that does not.
        """
        found: dict[str, Tensor | None] = {name: self._plane(name, images) for name in PLANES}
        keep, drop = found["keep"], found["drop"]
        if keep is not None and drop is not None:
            found |= _apart(keep, drop)
        if self.uncertainty is not None and not 0 < self.uncertainty <= max(images.shape[-2:]):
            raise InputError(
                f"uncertainty is in pixels, above 0 and at most the photograph's side; got {self.uncertainty}"
            )
        height, width = images.shape[-2:]
        for box in self.boxes:
            _check_box(box, height, width)
        return replace(self, boxes=tuple(self.boxes), **found)  # type: ignore[arg-type]

    def of(self, i: int) -> Guidance:
        """What is said of one photograph.

        Args:
            i: its number.

        Returns:
            Guidance whose planes have a batch of one.
        """
        planes = {n: getattr(self, n) for n in PLANES}
        return replace(self, **{n: p if p is None or len(p) == 1 else p[i : i + 1] for n, p in planes.items()})

    def _plane(self, name: str, images: Tensor) -> Tensor | None:
        plane = getattr(self, name)
        if plane is None:
            return None
        check_finite(check_alpha(plane, name), name)
        if len(plane) not in (1, len(images)):
            raise InputError(
                f"{name} has a batch of {len(plane)} and images one of {len(images)}; give equal ones, or one"
            )
        (h, w), (height, width) = plane.shape[-2:], images.shape[-2:]
        empty = not bool(plane.any())
        if empty:
            return None
        if h > height or w > width or abs(h * width - w * height) > max(height, width):
            raise InputError(
                f"{name} is {w}x{h} and the photograph {width}x{height}; give it at the photograph's size, or smaller "
                "with the same proportions"
            )
        plane = plane.to(images.device, torch.float32)
        if float(plane.amin()) < 0 or float(plane.amax()) > 1:
            raise InputError(f"{name} has values outside 0 to 1; divide by its largest value first")
        plane = enlarge(plane, height, width)
        return plane if name == "mask" else (plane > 0.5).float()


def marks(points: Sequence[tuple[float, float]], height: int, width: int, size: int = 0) -> Tensor:
    """Points as a plane of discs.

    Args:
        points: (x, y), in pixels.
        height, width: of the photograph.
        size: of a disc, in pixels (0: 1 % of the longer side).

    Returns:
        [1,1,height,width], 0 or 1.

    Raises:
        InputError: a point outside the photograph.
    """
    radius = max((size or max(height, width) / 100) / 2, 0.5)
    plane = torch.zeros(height, width)
    for x, y in points:
        if not (0 <= x < width and 0 <= y < height):
            raise InputError(f"the point ({x:g}, {y:g}) lies outside the photograph of {width}x{height} pixels")
        rows, columns = torch.arange(height)[:, None] - int(y), torch.arange(width) - int(x)
        plane[rows.square() + columns.square() <= radius**2] = 1
    return plane[None, None]


def _apart(keep: Tensor, drop: Tensor) -> dict[str, Tensor | None]:
    """Strokes without the pixels that both mark."""
    both = keep * drop
    count, most = int(both.sum()), max(int(keep.sum()), int(drop.sum()))
    if 2 * count > most:
        raise InputError(f"keep and drop both mark {count} pixels, most of all; a pixel is kept or dropped: erase one")
    return {"keep": keep - both, "drop": drop - both} if count else {}


def _check_box(box: Box, height: int, width: int) -> None:
    if len(box) != 4:
        raise InputError(f"a box is (x, y, width, height); got {tuple(box)}")
    x, y, w, h = box
    if not (w >= 1 and h >= 1):
        raise InputError(f"a box is at least one pixel wide and high; got {w:g}x{h:g}")
    if x < 0 or y < 0 or x + w > width or y + h > height:
        raise InputError(
            f"the box {x:g},{y:g},{w:g},{h:g} (x, y, width, height) lies outside the photograph of "
            f"{width}x{height} pixels"
        )
