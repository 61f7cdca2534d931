"""What is taken home: the picture, the mask, all of them, and the command that does the same."""

from __future__ import annotations

import io
import shlex
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
import streamlit as st
import torch

from ..cli.pixels import to_pixels
from ..core import Recipe
from ..core.errors import NuggyError
from ..core.ops.composite import over
from ..pictures import FORMATS, Style, encode
from ..service.engine import Studio, shown_as
from ..service.wanted import MEDIA
from . import controls, stage
from .arguments import another_network
from .backdrops import Scene, layers
from .photo import Photo
from .words import w


def made(photo: Photo, studio: Studio, recipe: Recipe, scene: Scene, form: str) -> bytes:
    """A result's file. form: of FORMATS, or "mask". In one's turn. Raises NuggyError."""
    cut, picture = photo.cutout(studio, recipe), photo.picture(studio)
    kind = picture.rgb.dtype if form in ("png", "mask", "tiff") else np.uint8
    if form == "mask":
        return encode(to_pixels([cut.alpha], kind), "png", None, picture.dpi)
    colours, alpha, behind = layers(cut, scene, picture.icc)
    if behind is None and form == "jpeg":
        behind = torch.ones_like(colours)
    planes = [colours, alpha] if behind is None else [over(colours, alpha, behind)]
    style = Style(form, 92 if form == "webp" and behind is not None else None)
    return encode(to_pixels(planes, kind), style, picture.icc, picture.dpi, picture.exif)


def zipped(photos: list[Photo], make: Callable[[Photo], bytes], suffix: str) -> bytes:
    """All results, each under its photograph's name; what failed is told in errors.txt."""
    out, failed, names = io.BytesIO(), [], set[str]()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:  # pictures are compressed already
        for photo in photos:
            try:
                data = make(photo)
            except NuggyError as e:
                failed.append(f"{photo.name}: {e}")
                continue
            z.writestr(unique(stem(photo) + suffix, names), data)
        if failed:
            z.writestr("errors.txt", "\n".join(failed))
    return out.getvalue()


def stem(photo: Photo) -> str:
    """The result's name without its suffix."""
    return PurePosixPath(shown_as(photo.name)).stem.strip(". ") + "-cutout"


def unique(name: str, names: set[str]) -> str:
    """The name, or one that no other file of the ZIP has."""
    path, n, found = Path(name), 1, name
    while found in names:
        n += 1
        found = f"{path.stem}-{n}{path.suffix}"
    names.add(found)
    return found


def downloads(photo: Photo, photos: list[Photo], studio: Studio, recipe: Recipe, scene: Scene) -> None:
    """The buttons. Files are made when they are asked for."""

    def maker(form: str) -> Callable[[], bytes]:
        def make() -> bytes:
            with studio.line.turn():
                return made(photo, studio, recipe, scene, form)

        return make

    columns = st.columns(4)
    for column, form in zip(columns, ("png", "webp", "jpeg", "mask")):
        suffix = "-mask.png" if form == "mask" else FORMATS[form]
        column.download_button(w("get_" + form), maker(form), stem(photo) + suffix, MEDIA.get(form, "image/png"),
                               key="get-" + form, on_click="ignore", width="stretch",
                               type="primary" if form == "png" else "secondary")  # fmt: skip
    if len(photos) > 1:
        form = "png" if scene.kind == "transparent" else "jpeg"

        def all_of_them() -> bytes:
            def one(p: Photo) -> bytes:
                with studio.line.turn():
                    return made(p, studio, recipe, scene, form)

            return zipped(photos, one, FORMATS[form])

        st.download_button(w("get_zip", count=len(photos)), all_of_them, "nuggy.zip", "application/zip", key="get-zip",
                           on_click="ignore", width="stretch")  # fmt: skip
    with st.expander(w("command")):
        line = command(photo, recipe, scene)
        st.code(line or command(photo, recipe, Scene()), "shell", wrap_lines=True)
        if line is None:
            st.caption(w("command_less"))
        if photo.keep is not None or photo.drop is not None:
            st.caption(w("command_strokes"))


def command(photo: Photo, recipe: Recipe, scene: Scene) -> str | None:
    """The command line that does the same; None where it cannot do all of it."""
    behind = stage.options(scene)
    if behind is None:
        return None
    said = [f"--box={','.join(f'{v:g}' for v in box)}" for box in photo.boxes]
    said += ["--keep", "keep.png"] if photo.keep is not None else []
    said += ["--drop", "drop.png"] if photo.drop is not None else []
    return shlex.join(["nuggy", "cutout", str(shown_as(photo.name)), *another_network(), *controls.options(recipe),
                       *behind, *said])  # fmt: skip
