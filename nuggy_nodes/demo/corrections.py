"""Strokes and a box over the photograph: what the network got wrong."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from ..pictures import read
from .photo import Photo
from .words import w

KEEP, DROP, BOX = "#12b76a", "#f04438", "#2e90fa"
TOOLS = {"keep": KEEP, "drop": DROP, "box": BOX}
RETINA = 9  # pixels of a screen in one of the page, at the most
OPAQUE = 128  # of the canvas' 255, from which a pixel is under a stroke
SIDE = 680  # pixels of the canvas where there is room


@st.fragment  # a stroke draws this part of the page anew, not all of it: a download under way would be lost
def corrections(photo: Photo, shown: bytes, whole: tuple[int, int], room: int) -> None:
    """The canvas with its tools; the whole page begins again when the photograph's corrections have changed.

    shown: a JPEG, what is drawn on. whole: width and height of the photograph. room: pixels of
    the page that the canvas may be wide.
    """
    from streamlit_drawable_canvas import st_canvas

    st.caption(w("correct_help"))
    tool = st.segmented_control(w("tool"), list(TOOLS), default="keep", required=True, key="tool",
                                format_func=lambda t: w("tool_" + t))  # fmt: skip
    width = st.slider(w("brush"), 2, 60, 16, key="brush")
    wide, height = whole
    side = min(room, SIDE)
    scale = min(side / wide, side / height)
    size = max(round(wide * scale), 1), max(round(height * scale), 1)
    drawn = st_canvas(
        stroke_width=3 if tool == "box" else width,
        stroke_color=TOOLS[tool or "keep"],
        fill_color="rgba(0,0,0,0)",
        background_image=smaller(shown, max(size)),
        width=size[0],
        height=size[1],
        drawing_mode="labeled_rect" if tool == "box" else "freedraw",
        return_image_data=True,
        key=f"canvas-{photo.number}-{side}-{st.session_state.get('forgotten', 0)}",  # another one is empty
    )
    left, right = st.columns(2)
    if right.button(w("forget"), key="forget", width="stretch"):
        photo.correct(None, None, ())
        st.session_state["forgotten"] = st.session_state.get("forgotten", 0) + 1
        st.rerun()
    if left.button(w("apply"), key="apply", type="primary", width="stretch") and _take(photo, drawn, whole, scale):
        st.rerun()


def _take(photo: Photo, drawn: Any, size: tuple[int, int], scale: float) -> bool:
    boxes = tuple(fitted(box, size, scale) for box in drawn.boxes)
    found = strokes(read_canvas(drawn.image_bytes)) if drawn.image_bytes else (None, None)
    keep, drop = (None if mark is None else pooled(mark, size, min(scale, 1.0)) for mark in found)
    if keep is None and drop is None and not boxes:
        st.info(w("nothing_drawn"))
        return False
    photo.correct(keep, drop, tuple(b for b in boxes if b[2] >= 1 and b[3] >= 1))
    return True


def smaller(shown: bytes, side: int) -> bytes:
    """A JPEG with the longer side of `side` pixels at the most."""
    from PIL import Image

    with Image.open(io.BytesIO(shown)) as image:
        image.draft("RGB", (side, side))
        image.thumbnail((side, side))
        out = io.BytesIO()
        image.save(out, "JPEG", quality=90)
    return out.getvalue()


def read_canvas(png: bytes) -> np.ndarray:
    """The canvas [h,w,4]. It comes from the browser, so it is read as any upload is. Raises ImageError."""
    found = read(Path("canvas.png"), megapixels=2 * SIDE**2 * RETINA / 1e6, data=png)
    alpha = np.full(found.rgb.shape[:2], 255, np.uint8) if found.alpha is None else found.alpha
    return np.dstack([found.rgb, alpha])


def strokes(pixels: np.ndarray) -> tuple[Tensor | None, Tensor | None]:
    """keep and drop, [1,1,h,w] of 0 and 1 or None, from the canvas [h,w,4]: green is kept, red is dropped."""
    red, green, blue = (pixels[..., i].astype(int) for i in range(3))
    there = pixels[..., 3] >= OPAQUE
    found = []
    for mark in (there & (green > red) & (green > blue), there & (red > green) & (red > blue)):
        found.append(torch.from_numpy(mark)[None, None].float() if mark.any() else None)
    return found[0], found[1]


def pooled(mark: Tensor, size: tuple[int, int], scale: float) -> Tensor:
    """A stroke [1,1,h,w] at `scale`, at most 1, of a photograph of this width and height: the canvas is larger than a
    small photograph, and on a fine screen. What a stroke touches is under it, however thin it is."""
    wide, tall = (max(round(n * scale), 1) for n in size)
    return torch.nn.functional.adaptive_max_pool2d(mark, (tall, wide))


def fitted(box: dict[str, Any], size: tuple[int, int], scale: float) -> tuple[float, float, float, float]:
    """A box of the canvas in pixels of the photograph, inside it."""
    left, top = (max(box[n] / scale, 0.0) for n in ("left", "top"))
    right = min((box["left"] + box["width"]) / scale, size[0])
    bottom = min((box["top"] + box["height"]) / scale, size[1])
    return left, top, max(right - left, 0.0), max(bottom - top, 0.0)
