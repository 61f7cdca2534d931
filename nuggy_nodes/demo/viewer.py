"""The slider between photograph and result, zoomed and moved: a component of the page's own.

The one that PyPI has (streamlit-image-comparison) loads its script from a foreign server at run time.
"""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from .words import w

HTML = """<div class="box"><div class="stage"><img class="before"><img class="after"></div>
<div class="line"></div></div>
<div class="bar"><input class="slider" type="range" min="0" max="100" value="50" step="1">
<button class="fit" type="button"></button><button class="one" type="button"></button>
<span class="hint"></span></div>"""
HERE = Path(__file__).parent
ROOM = 680  # pixels, until the browser has said that it has less


@cache
def component() -> Any:
    """Streamlit's own kind of component: no frame, no foreign script."""
    css, js = ((HERE / f"viewer.{kind}").read_text("utf-8") for kind in ("css", "js"))
    return st.components.v2.component("nuggy_viewer", html=HTML, css=css, js=js)


def viewer(
    before: bytes, after: bytes, size: tuple[int, int], movable: bool, key: str
) -> tuple[list[float] | None, int]:
    """Show two JPEGs under a slider.

    Args:
        before, after: of equal size.
        size: width and height of the photograph, in pixels.
        movable: whether dragging moves the subject.
        key: of the place on the page.

    Returns:
        How far the subject has been dragged, in shares of width and height, and when; None: not at all. And the pixels
        of the page beside which a canvas of corrections, in a frame of its own, is not cut off.
    """
    words = {n: w("viewer_" + n) for n in ("before", "after", "slider", "fit", "one", "hint", "hint_move")}
    data = {"before": url(before), "after": url(after), "width": size[0], "height": size[1], "movable": movable,
            "room": ROOM, "words": words}  # fmt: skip
    result = component()(key=key, data=data, on_moved_change=lambda: None, on_room_change=lambda: None)
    return getattr(result, "moved", None), int(getattr(result, "room", None) or ROOM)


def url(jpeg: bytes) -> str:
    """A JPEG inside an address."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
