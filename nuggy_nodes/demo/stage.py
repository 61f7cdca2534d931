"""The sidebar's lower part: background, place, shadow."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ..cli.backdrop import Backdrop
from ..core.errors import NuggyError
from ..pictures import read
from ..service.engine import shown_as
from ..service.limits import Limits
from .backdrops import BRANDS, SAMPLES, Scene
from .photo import kind as fault
from .words import plain, w

KINDS = ("transparent", "colour", "picture", "sample", "blur")
PLACE = {"scale": 100, "x": 0, "y": 0}


def chosen(limits: Limits) -> Scene:
    """What the sidebar asks for."""
    kind = (
        st.selectbox(w("background"), KINDS, key="background", format_func=lambda k: w("background_" + k)) or KINDS[0]
    )
    with st.container():  # what comes and goes with the kind does not move what is below
        value, picture, blur = _of_kind(kind, limits)
    for name, value_ in PLACE.items():
        st.session_state.setdefault(name, value_)
    with st.expander(w("place")):
        scale = st.slider(w("scale"), 10, 300, step=1, key="scale")
        x = st.slider(w("x"), -100, 100, step=1, key="x")
        y = st.slider(w("y"), -100, 100, step=1, key="y")
        st.toggle(w("drag"), key="drag", help=w("drag_help"))
        st.button(w("reset_place"), key="reset-place", on_click=lambda: st.session_state.update(PLACE))
    shadow = st.slider(w("shadow"), 0, 100, 0, 5, key="shadow", help=w("shadow_help")) / 100
    return Scene(kind, value, picture, scale / 100, x / 100, y / 100, shadow, blur)


def _of_kind(kind: str, limits: Limits) -> tuple[str, Backdrop | None, float]:
    """Value, picture and blur of a background of this kind."""
    value, picture, blur = "", None, 0.02
    if kind == "colour":
        st.session_state.setdefault("colour", "#ffffff")
        presets = st.container(horizontal=True, gap="small")
        for name, colour in BRANDS.items():
            presets.button(w("brand_" + name), key="brand-" + name, help=colour,
                           on_click=_take, args=(colour,))  # fmt: skip
        value = st.color_picker(w("colour"), key="colour")
    elif kind == "picture":
        picture = _own(limits)
    elif kind == "sample":
        value = st.selectbox(w("sample"), list(SAMPLES), key="sample", format_func=lambda n: w("sample_" + n)) or ""
    elif kind == "blur":
        blur = st.slider(w("blur"), 0.5, 8.0, 2.0, 0.5, key="blur", help=w("blur_help")) / 100
    return value, picture, blur


def drag(moved: list[float] | None) -> None:
    """Take over what was dragged, once."""
    if not moved or moved[2] == st.session_state.get("dragged"):
        return
    st.session_state["dragged"] = moved[2]
    place = {n: round(min(max(st.session_state[n] + 100 * d, -100), 100)) for n, d in zip("xy", moved)}
    st.session_state["place-next"] = place
    st.rerun()


def before() -> None:
    """What the last run has left for the fields, before they are drawn."""
    st.session_state.update(st.session_state.pop("place-next", {}))


def _take(colour: str) -> None:
    st.session_state["colour"] = colour


def _own(limits: Limits) -> Backdrop | None:
    file = st.file_uploader(w("own_picture"), key="own-picture")
    if file is None:
        return None
    kept = st.session_state.get("own-backdrop")
    if kept is None or kept[0] != file.file_id:
        try:
            found = read(shown_as(file.name), megapixels=limits.megapixels, data=file.getvalue())
        except NuggyError as e:
            st.error(w(fault(e), name=plain(file.name), most=f"{limits.megapixels:g}"))
            return None
        kept = file.file_id, Backdrop(found.rgb, found.alpha, found.icc)
        st.session_state["own-backdrop"] = kept
    return kept[1]


def options(scene: Scene) -> list[str] | None:
    """The scene as options of `nuggy cutout`; None where the command line has none for it."""
    if scene.moved or scene.shadow or scene.kind in ("blur", "sample"):
        return None
    if scene.kind == "colour":
        return ["--output", "composite", "--background", scene.value]
    return ["--output", "composite", "--background", str(Path("background.jpg"))] if scene.picture else []
