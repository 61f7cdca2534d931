"""The motion between two frames of a clip, and what is known of one carried to the other along it.

Dense inverse search (Kroeger, Timofte, Dai, Van Gool, "Fast optical flow using dense inverse search", ECCV 2016), as
OpenCV has it, between small grey pictures: some ten milliseconds, whatever the frames' size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..ops.opencv import opencv
from ..ops.resample import resample

SIDE = 512  # of the small pictures, which are squashed to squares as the network's are


class Motion:
    """Finds motion; one object for a clip."""

    def __init__(self) -> None:
        """Raises InputError where OpenCV is missing (`found` says so beforehand)."""
        if not found():
            raise InputError("motion between frames is found by OpenCV, which is missing; pip install opencv-python")
        self._flow = opencv().DISOpticalFlow_create(opencv().DISOPTICAL_FLOW_PRESET_MEDIUM)

    def small(self, image: Tensor) -> np.ndarray:
        """A frame as it is compared.

        Args:
            image: [1,3,H,W], 0..1.

        Returns:
            [SIDE,SIDE] uint8, grey.
        """
        grey = resample(image.float(), (SIDE, SIDE)).mean(1)[0]
        return np.asarray((grey.clamp(0, 1) * 255).round().byte().cpu())

    def carried(self, planes: Sequence[Tensor], there: np.ndarray, here: np.ndarray) -> list[Tensor]:
        """What lies in another frame, where it lies in this one.

        Args:
            planes: [1,C,H,W] each, of the other frame, all of one size.
            there, here: the other frame and this one, by `small`.

        Returns:
            As many of the same shapes, dtypes and devices; bilinear, what comes from beyond the border is its nearest.
        """
        height, width = planes[0].shape[-2:]
        flow = self._flow.calc(here, there, None)  # from here to where it lies there, in cells
        cells = opencv().resize(flow, (width, height), interpolation=opencv().INTER_LINEAR)
        x = np.arange(width, dtype=np.float32) + cells[..., 0] * (width / SIDE)
        y = np.arange(height, dtype=np.float32)[:, None] + cells[..., 1] * (height / SIDE)
        return [self._moved(plane, x, y) for plane in planes]

    @staticmethod
    def _moved(plane: Tensor, x: Any, y: Any) -> Tensor:
        cv2 = opencv()
        pixels = np.ascontiguousarray(plane[0].float().cpu().permute(1, 2, 0).numpy())
        moved = cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return torch.from_numpy(moved.reshape(pixels.shape)).permute(2, 0, 1)[None].to(plane)


def found() -> bool:
    """Whether motion can be found here: OpenCV is installed, with its optical flow.

    Returns:
        True where Motion() does not raise.
    """
    return hasattr(opencv(), "DISOpticalFlow_create")
