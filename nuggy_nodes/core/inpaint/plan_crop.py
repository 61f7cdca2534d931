"""Where the window of a crop lies: all of the photograph, or around what is visible of the subject."""

from __future__ import annotations

from torch import Tensor

from ..checks import check_alpha
from ..errors import InputError
from ..ops.tiles import bounds
from .crop import Crop

SHAPES = ("picture", "subject", "square")
VISIBLE = 0.05  # alpha above which a pixel belongs to the subject's bounding box


def plan_crop(
    alpha: Tensor, shape: str = "picture", margin: float = 0.15, long_side: int = 0, multiple: int = 8,
    follow: bool = False,
) -> Crop:  # fmt: skip
    """Choose the window for a batch of alphas. A batch without any subject gives the whole photograph.

    Args:
        alpha: [B,1,H,W], 0..1, 1 = subject.
        shape: "picture" takes all of it; "subject" the box around what is visible of the subject in any frame, inside
            the photograph as far as possible; "square" the same as a square, which may reach beyond the photograph.
        margin: on each side of the box, 0 to 4 of its longer side.
        long_side: of the working picture in pixels, 0 for the window's own.
        multiple: both sides of the working picture are multiples of it, 1 or more.
        follow: the window keeps one size but moves with the subject from frame to frame; otherwise one window serves
            all frames and a video does not shake.

    Returns:
        The crop.

    Raises:
        InputError: a shape or value that is not allowed.
    """
    check_alpha(alpha)
    if shape not in SHAPES:
        raise InputError(f"shape must be one of {', '.join(SHAPES)}; got {shape!r}")
    if not 0 <= margin <= 4:
        raise InputError(f"margin must be from 0 to 4 of the subject's longer side; got {margin}")
    if multiple < 1 or long_side < 0:
        raise InputError(f"multiple must be at least 1 and long_side 0 or more; got {multiple} and {long_side}")
    picture = (alpha.shape[-2], alpha.shape[-1])
    boxes = [] if shape == "picture" else [bounds(one[0] > VISIBLE) for one in alpha]
    found = [b for b in boxes if b]
    if found:
        around = (min(b[0] for b in found), max(b[1] for b in found), min(b[2] for b in found),
                  max(b[3] for b in found))  # fmt: skip
        sized = found if follow else [around]
        h, w = max(b[1] - b[0] for b in sized), max(b[3] - b[2] for b in sized)
        space = round(margin * max(h, w))
        h, w = min(h + 2 * space, picture[0]), min(w + 2 * space, picture[1])
        # a frame without the subject looks at the middle of where it is in the others
        centred = [b or around for b in boxes] if follow else [around]
        centres = [((b[0] + b[1]) / 2, (b[2] + b[3]) / 2) for b in centred]
    else:
        (h, w), centres = picture, [(picture[0] / 2, picture[1] / 2)]
    if shape == "square":
        h = w = max(h, w)
    scale = _up(long_side, multiple) / max(h, w) if long_side else 1.0
    size = (_up(h * scale, multiple), _up(w * scale, multiple))
    box = (max(round(size[0] / scale), h), max(round(size[1] / scale), w))
    corners = [(_start(y, box[0], picture[0]), _start(x, box[1], picture[1])) for y, x in centres]
    return Crop(picture, tuple(corners), box, size)


def _up(value: float, multiple: int) -> int:
    """The next multiple, at least one."""
    return max(-int(-(value - 1e-6) // multiple), 1) * multiple


def _start(centre: float, length: int, whole: int) -> int:
    """Where a window of `length` around `centre` starts: inside 0..whole if it fits, else centred on the whole."""
    if length >= whole:
        return -((length - whole) // 2)
    return min(max(round(centre - length / 2), 0), whole - length)
