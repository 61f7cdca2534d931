"""What a clip comes to: frames with their times, and what is known of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from types import ModuleType

import numpy as np

from ..core.errors import ImageError
from .colour import Colours


@dataclass
class Frame:
    """rgb [H,W,3] and alpha [H,W] or None, both uint8 or both uint16, upright, full range; shown from `time` on for
    `duration`, in seconds."""

    rgb: np.ndarray
    time: Fraction
    duration: Fraction
    alpha: np.ndarray | None = None


@dataclass(frozen=True)
class About:
    """What holds for all frames. rate: frames a second, mean; base: the unit of times; count: frames as announced, 0
    where it is not; deep: more than 8 bits; aspect: width of a pixel to its height; plays: of an animation, 0 for ever.
    """

    width: int
    height: int
    rate: Fraction
    base: Fraction
    colours: Colours
    count: int = 0
    deep: bool = False
    aspect: Fraction = Fraction(1)
    plays: int = 0
    sound: bool = False


def pyav() -> ModuleType:
    """PyAV. Raises ImageError, with what to install, where it is missing."""
    try:
        import av
    except ImportError:
        raise ImageError("clips need a package more: pip install 'nuggy-nodes[video]'") from None
    av.logging.set_level(None)
    module: ModuleType = av
    return module
