"""Frame after frame cut out, and the masks steadied, scene by scene."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from torch import Tensor

from ..core import Cutout, steady_masks
from .frame import Frame
from .scenes import Scenes


def steadily(
    frames: Iterable[Frame], cut: Callable[[Frame], Cutout], window: int = 5
) -> Iterator[tuple[Frame, Cutout]]:
    """Cut-outs of a clip's frames, in order.

    Args:
        frames: read as they are needed; `window` of them are held at the most.
        cut: what is done with one.
        window: 3 or 5 frames tell each mask (refine.temporal), not across a cut; 0: each its own.

    Raises:
        InputError: a window of another size.
    """
    if not window:
        for frame in frames:
            yield frame, cut(frame)
        return
    for scene in Scenes(frames):
        run = _Run(scene, cut)
        for alpha in steady_masks(run, window):
            frame, found = run.held.popleft()
            yield frame, replace(found, alpha=alpha)


class _Run:
    """A scene's photographs and masks, and the frames whose steadied masks are still to come."""

    def __init__(self, scene: Iterator[Frame], cut: Callable[[Frame], Cutout]):
        self._scene, self._cut = scene, cut
        self.held: deque[tuple[Frame, Cutout]] = deque()

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for frame in self._scene:
            found = self._cut(frame)
            self.held.append((frame, found))
            yield found.image, found.alpha
