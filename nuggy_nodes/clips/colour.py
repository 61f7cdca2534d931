"""What a clip's numbers mean: matrix and range (ITU-T H.273), and the way to RGB and back by FFmpeg's swscale.

A clip that does not say is read as players read it: BT.709 from 720 lines on, BT.601 below; limited range, but for the
pixel formats that mean full range (yuvj...). Transfer and primaries are not changed, only handed on: the network and
the filter see the values as they are encoded, as of photographs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BT709, UNSAID, BT601, BT2020 = 1, 2, 6, 9  # H.273, matrix coefficients
SWS = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}  # H.273's number to swscale's
LIMITED, FULL = 1, 2  # AVColorRange
HD = 720  # lines
# swscale's bicubic, with exact rounding and whole chroma in and out; PyAV 17 has a name for the first only
WAY = 0x4 | 0x40000 | 0x2000 | 0x4000


@dataclass(frozen=True)
class Colours:
    """matrix, primaries, transfer: numbers of H.273; full: range of the source."""

    matrix: int = BT709
    primaries: int = UNSAID
    transfer: int = UNSAID
    full: bool = False

    @property
    def sws(self) -> int:
        """The matrix as swscale numbers it."""
        return SWS[self.matrix]


def colours_of(frame: Any) -> Colours:
    """The colours of a decoded frame, guessed where it says nothing."""
    matrix = int(frame.colorspace)
    if matrix not in SWS:
        matrix = BT709 if min(frame.width, frame.height) >= HD else BT601
    full = int(frame.color_range) == FULL or frame.format.name.startswith("yuvj")
    return Colours(matrix, int(frame.color_primaries), int(frame.color_trc), full)


def to_rgb(frame: Any, colours: Colours, form: str) -> Any:
    """A decoded frame as rgb24, rgba, rgb48le or rgba64le, [H,W,C]."""
    made = frame.reformat(
        format=form, src_colorspace=colours.sws, dst_colorspace=colours.sws,
        src_color_range=FULL if colours.full else LIMITED, dst_color_range=FULL,
        interpolation=WAY,
    )  # fmt: skip
    return made.to_ndarray()


def from_rgb(pixels: Any, form: str, pix_fmt: str, colours: Colours) -> Any:
    """[H,W,C] of one of to_rgb's forms as a frame of pix_fmt, in limited range, with its colours written on it."""
    from av import VideoFrame

    made = VideoFrame.from_ndarray(pixels, format=form).reformat(
        format=pix_fmt, src_colorspace=colours.sws, dst_colorspace=colours.sws,
        src_color_range=FULL, dst_color_range=LIMITED,
        interpolation=WAY,
    )  # fmt: skip
    made.colorspace, made.color_range = colours.matrix, LIMITED
    made.color_primaries, made.color_trc = colours.primaries, colours.transfer
    return made
