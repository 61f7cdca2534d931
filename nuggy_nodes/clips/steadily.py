"""Frame after frame cut out, and the masks steadied, scene by scene."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from torch import Tensor

from ..core import Cutout, steady_masks
from ..core.refine.motion import Motion
from ..core.refine.motion import found as motion_found
from .frame import Frame
from .scenes import Scenes


def steadily(
    frames: Iterable[Frame], cut: Callable[[Frame], Cutout], window: int = 5
) -> Iterator[tuple[Frame, Cutout]]:
    """Cut-outs of a clip's frames, in order.

    Args:
        frames: read as they are needed; twice `window` of them are held at the most.
        cut: what is done with one.
        window: 3 or 5 frames tell each mask (refine.temporal), not across a cut: those that stand still, then those
            that move, carried along their motion; 0: each its own.

    Raises:
        InputError: a window of another size.
    """
    if not window:
        for frame in frames:
            yield frame, cut(frame)
        return
    motion = Motion() if motion_found() else None
    for scene in Scenes(frames):
        run = _Run(scene, cut)
        made = steady_masks(run, window)
        if motion:
            made = steady_masks(run.with_images(made), window, motion=motion)
        for alpha in made:
            frame, found = run.held.popleft()
            yield frame, replace(found, alpha=alpha)


class _Run:
    """A scene's photographs and masks, and the frames whose steadied masks are still to come."""

    def __init__(self, scene: Iterator[Frame], cut: Callable[[Frame], Cutout]):
        self._scene, self._cut = scene, cut
        self.held: deque[tuple[Frame, Cutout]] = deque()
        self._images: deque[Tensor] = deque()

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for frame in self._scene:
            found = self._cut(frame)
            self.held.append((frame, found))
            self._images.append(found.image)
            yield found.image, found.alpha

    def with_images(self, masks: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """Masks of these frames, in order, each with its photograph."""
        for mask in masks:
            yield self._images.popleft(), mask
