"""ComfyUI's background removal models as networks, and whatever else has their contract:

    encode_image(image [B,H,W,3], 0..1) -> [B,H,W], 0..1, 1 on the subject

What ComfyUI's own *Load Background Removal Model* gives (BiRefNet, since 0.32) resizes to its own `image_size`, rounds
to 8 bits, normalises, and manages its memory. Squares of that size go through without being resized.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError
from .metadata import Info
from .protocol import Form

NATIVE, SMALLEST, LARGEST = 1024, 64, 4096


@dataclass(frozen=True)
class EncoderNetwork:
    """A network behind `encode_image`. Its answers lie where the object puts them, and are brought to `device`."""

    encoder: Any
    device: torch.device = torch.device("cpu")  # noqa: RUF009
    path: Path = Path()

    @property
    def info(self) -> Info:
        """What the object tells of itself; it normalises by itself."""
        kind = getattr(self.encoder, "model_type", None)
        architecture = kind if isinstance(kind, str) else type(self.encoder).__name__
        return Info(architecture, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), self.form.size)

    @property
    def form(self) -> Form:
        """Squares of its own size, one at a time; probabilities."""
        size = getattr(self.encoder, "image_size", NATIVE)
        fits = isinstance(size, int) and SMALLEST <= size <= LARGEST
        return Form(size if fits else NATIVE, fixed=True, logits=False, most=1)

    def see(self, squares: Tensor) -> Tensor:
        """protocol.AnyNetwork.see. Raises InputError where the object answers with something else than a mask."""
        answer = self.encoder.encode_image(squares.movedim(1, -1).contiguous())
        count, side = len(squares), squares.shape[-1]
        if not isinstance(answer, Tensor) or answer.numel() != count * side * side or answer.shape[-2:] != (side, side):
            what = list(answer.shape) if isinstance(answer, Tensor) else type(answer).__name__
            raise InputError(f"the model answers a picture of {side}x{side} with {what}; a mask is [1, {side}, {side}]")
        return answer.reshape(count, 1, side, side).to(self.device, torch.float32)


def is_encoder(thing: object) -> bool:
    """Whether something has the contract.

    Args:
        thing: anything.

    Returns:
        Whether it has an `encode_image` to call.
    """
    return callable(getattr(thing, "encode_image", None))
