"""The page from top to bottom."""

from __future__ import annotations

import streamlit as st

from ..core import Cutout, Recipe, recipe
from ..core.errors import InputError, NuggyError
from ..service.engine import Studio
from ..service.line import Busy
from . import controls, corrections, stage
from .arguments import arguments, limits
from .backdrops import Scene, composite
from .files import downloads
from .photo import LEAST, THUMB, Photo, Shelf, jpeg, kind
from .shared import shared
from .uploads import begin, photographs
from .viewer import viewer
from .words import LANGUAGES, plain, preferred, w

ICON = (  # named icons come from a foreign server
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#c2571a"/>'
    '<path d="M4 13V3l8 10V3" fill="none" stroke="#fff" stroke-width="2"/></svg>'
)
SHOWN = 3200  # pixels of the longer side that are sent to the browser, at the most


def main() -> None:
    """Draw the page."""
    st.set_page_config("Nuggy", ICON, "wide", menu_items={"About": "Nuggy, Apache-2.0"})
    st.session_state.setdefault("language", preferred(arguments().language))
    stage.before()
    with st.sidebar:
        st.selectbox(w("language"), list(LANGUAGES), key="language", format_func=LANGUAGES.__getitem__)
    st.title("Nuggy", anchor=False)
    st.caption(w("promise"))
    photos = photographs(limits())
    with st.sidebar:
        with st.container():
            recipe = _recipe()
        scene = stage.chosen(limits())
    if not photos:
        begin()
        return
    try:
        with st.spinner(w("warming"), show_time=True):
            studio, shelf = shared()
    except NuggyError as e:
        st.error(plain(str(e)))
        return
    for photo in photos:
        shelf.add(photo)
    chosen = _choose(photos)
    gallery = st.container()
    try:
        _show(chosen, photos, studio, shelf, recipe, scene)
    except NuggyError as e:  # the line is full for what comes after the cut-out, too
        say(chosen, e)
    if len(photos) > 1:
        _others(gallery, chosen, photos, studio, shelf, recipe)


def _recipe() -> Recipe:
    try:
        return controls.chosen()
    except NuggyError as e:
        st.error(plain(str(e)))
        return recipe("balanced")


def _choose(photos: list[Photo]) -> Photo:
    if len(photos) == 1:
        return photos[0]
    n = st.selectbox(w("photograph", count=len(photos)), range(len(photos)), key="chosen",
                     format_func=lambda i: f"{i + 1}. {photos[i].name}")  # fmt: skip
    return photos[n or 0]


def _cut(
    status: st.delta_generator.DeltaGenerator, photo: Photo, studio: Studio, shelf: Shelf, recipe: Recipe,
    sketched: bool = False,
) -> bool:  # fmt: skip
    """Cut a photograph out, in one's turn, with progress; False where it failed, which is said. status: a place
    for it; sketched: the page shows a sketch already, which a bar would push down."""
    if photo.has(recipe):
        return True
    name = plain(photo.name)

    def tell(_: str, share: float) -> None:  # any word to the page lets a newer change end this run
        status.empty() if sketched else status.progress(min(max(share, 0.0), 1.0), w("working", name=name))

    try:
        with studio.line.turn(lambda place: _place(status, place)):
            shelf.tidy(photo)
            tell("", 0.0)
            photo.cutout(studio, recipe, tell)
            if not photo.thumb:
                photo.thumb = jpeg(composite(photo.cutout(studio, recipe), Scene()), THUMB, 80, LEAST)
            photo.error = None
            shelf.tidy(photo)
    except Exception as e:
        photo.error = e
        if isinstance(e, InputError):  # what was drawn does not fit: it must not stand in the way of the next
            photo.correct(None, None, ())
    status.empty()
    return photo.error is None


def _sketch(photo: Photo, studio: Studio, recipe: Recipe) -> Cutout | None:
    """A first look at a change that takes its time; None where there is none to be had."""
    try:
        with studio.line.turn():
            return photo.sketch(recipe)
    except Exception:  # whatever it is, the whole one meets it too and says it
        return None


def _place(status: st.delta_generator.DeltaGenerator, place: int) -> None:
    status.info(w("place_in_line", place=place), icon=":material/hourglass_top:")


def say(photo: Photo, error: Exception) -> None:
    """Words for what went wrong, and under them what exactly."""
    if isinstance(error, Busy):
        st.warning(w("busy", seconds=error.seconds))
        return
    st.error(w(kind(error), name=plain(photo.name), most=f"{limits().megapixels:g}"), icon=":material/error:")
    if isinstance(error, NuggyError):
        st.caption(plain(str(error).removeprefix(f"{photo.name}: ").replace("; raise it with --max-megapixels", "")))


def _show(photo: Photo, photos: list[Photo], studio: Studio, shelf: Shelf, recipe: Recipe, scene: Scene) -> None:
    """The chosen photograph: viewer, corrections, downloads."""
    status = st.empty()  # there in every run: what comes and goes moves what is below, and folds it up
    as_mask = st.toggle(w("as_mask"), key="as-mask")
    key = photo.number, photo.said, recipe
    sketched = st.session_state.get("sketched") == key
    sketch = None if sketched or photo.has(recipe) else _sketch(photo, studio, recipe)
    if sketch is None and not _cut(status, photo, studio, shelf, recipe, sketched):
        assert photo.error is not None
        say(photo, photo.error)
        return
    with studio.line.turn():
        cut, picture = sketch or photo.cutout(studio, recipe), photo.picture(studio)
        height, width = picture.rgb.shape[:2]
        before = photo.shown(SHOWN)
        after = jpeg(cut.alpha if as_mask else composite(cut, scene, picture.icc), SHOWN)
        movable = bool(st.session_state.get("drag")) and not as_mask
        moved, room = viewer(before, after, (width, height), movable, "viewer")
    stage.drag(moved)
    if sketch:  # the whole follows; what is below stays as it is until then
        st.session_state["sketched"] = key
        st.rerun()
    said = st.container()
    if photo.empty():
        said.warning(w("nothing_found", name=plain(photo.name)), icon=":material/search_off:")
    if photo.note:
        said.caption(plain(photo.note))
    downloads(photo, photos, studio, recipe, scene)
    with st.expander(w("correct"), icon=":material/brush:", key="correcting", on_change="rerun") as opened:
        if opened.open:
            corrections.corrections(photo, before, (width, height), room)


def _others(
    gallery: st.delta_generator.DeltaGenerator, chosen: Photo, photos: list[Photo], studio: Studio, shelf: Shelf,
    recipe: Recipe,
) -> None:  # fmt: skip
    """Every other photograph as it comes, in the row above."""
    with gallery.container(horizontal=True, height=170, key="gallery"):
        cells = [st.empty() for _ in photos]
    for photo, cell in zip(photos, cells):
        if photo.thumb:
            cell.image(photo.thumb, plain(photo.name[:18]), width=110)
    for n, (photo, cell) in enumerate(zip(photos, cells)):
        if photo is chosen or (photo.thumb and not photo.error) or photo.error:
            if photo.error and photo is not chosen:
                cell.error(plain(photo.name[:18]))
            continue
        with gallery:
            worked = _cut(st.empty(), photo, studio, shelf, recipe)
        if worked:
            cell.image(photo.thumb, plain(photo.name[:18]), width=110)
        else:
            cell.error(plain(photo.name[:18]))
            with gallery:
                say(photo, photo.error or RuntimeError(str(n)))
