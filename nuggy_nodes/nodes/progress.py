"""Progress on a node while it works: the bar, the newest mask as a preview, a line of text."""

from __future__ import annotations

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


def tell_empty(masks: Tensor, what: str, node_id: str | None) -> None:
    """Say on the node which of its masks are empty.

    Args:
        masks: [B,H,W], 0..1.
        what: the sentence's beginning.
        node_id: the node's, or None.
    """
    empty = [str(i) for i, m in enumerate(masks, 1) if not bool((m > 0.002).any())]
    if empty:
        of = "" if len(masks) == 1 else f" in picture {', '.join(empty[:10])}{' and others' * (len(empty) > 10)}"
        say(what + of, node_id)


def say(text: str, node_id: str | None) -> None:
    """Put a line of text on the node, where there is a page that shows it.

    Args:
        text: the line.
        node_id: the node's, or None.
    """
    from server import PromptServer

    server = getattr(PromptServer, "instance", None)
    if server is not None and node_id and hasattr(server, "send_progress_text"):
        server.send_progress_text(text, node_id)
