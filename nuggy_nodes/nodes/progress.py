"""What a node shows: the bar and the newest mask while it works, a note of what is to be said of its run."""

from __future__ import annotations

from typing import Any

import comfy.model_management as mm
import comfy.utils
import torch.nn.functional as F
from torch import Tensor

SIDE = 256


class Bar:
    """A node's progress bar, to be called with (done, total). Every call is a point where Cancel ends the work."""

    def __init__(self, total: int):
        self.bar, self.total, self.done = comfy.utils.ProgressBar(total), total, 0

    def __call__(self, done: int, total: int) -> None:
        mm.throw_exception_if_processing_interrupted()
        self.done, self.total = done, total
        self.bar.update_absolute(done, total)

    def show(self, mask: Tensor) -> None:
        """Show a mask on the node, made small; for the eye only.

        Args:
            mask: [H,W], 0..1.
        """
        from PIL import Image

        scale = min(SIDE / max(mask.shape), 1.0)
        size = [max(round(n * scale), 1) for n in mask.shape]
        small = F.interpolate(mask[None, None].float(), size=size, mode="area")[0, 0]
        picture = Image.fromarray((small.clamp(0, 1) * 255).round().byte().cpu().numpy())
        self.bar.update_absolute(self.done, self.total, ("JPEG", picture, SIDE))


def note_empty(masks: Tensor, what: str) -> dict[str, Any]:
    """A note on the node of which of its masks are empty.

    Args:
        masks: [B,H,W], 0..1.
        what: the sentence's beginning.

    Returns:
        As `note`; without words where no mask is empty.
    """
    empty = [str(i) for i, m in enumerate(masks, 1) if not bool((m > 0.002).any())]
    of = "" if len(masks) == 1 else f" in picture {', '.join(empty[:10])}{' and others' * (len(empty) > 10)}"
    return note(what + of, alert=True) if empty else note("")


def note(text: str, alert: bool = False) -> dict[str, Any]:
    """A node's words on its last run, for `io.NodeOutput(ui=...)`: kept with its outputs, written by web/notes.js.

    Lines of `send_progress_text` go with the end of the job on front ends of the 0.33 line.

    Args:
        text: the words; none take the last run's away.
        alert: whether they are about something amiss, to be seen from outside of a subgraph, too.

    Returns:
        The part of a node's `ui` that carries them.
    """
    return {"nuggy": [{"text": text, "alert": alert}]}
