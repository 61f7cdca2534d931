"""Picture files in and out: orientation, depth, colour profile, resolution and transparency survive.

A fixed list of formats (formats.py), one decoder for each (pillow, png for 16 bits, tiff, netpbm, or an extra), one
description of what came out (picture.py), what is believed before anything is decoded (limits.py).
"""

from .encode import Style, encode, encode_frames
from .formats import OUT as FORMATS
from .formats import SUFFIXES
from .picture import Picture
from .read import frames_of, read
from .write import clear_parts, write

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "Picture",
    "Style",
    "clear_parts",
    "encode",
    "encode_frames",
    "frames_of",
    "read",
    "write",
]
