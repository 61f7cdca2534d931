"""Where photographs come from: the uploader, and samples for who has none at hand."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path

import streamlit as st
from PIL import Image, ImageOps

from ..service.limits import Limits
from .photo import Photo
from .words import w

SAMPLES = {"kitten": "kitten-on-lawn.jpg", "dragonfly": "dragonfly-on-lavender.jpg", "budgie": "budgie-branch.jpg"}


def photographs(limits: Limits) -> list[Photo]:
    """The photographs of this page, in the order in which they were given."""
    files = st.file_uploader(
        w("upload"), accept_multiple_files=True, key="files",
        help=w("upload_help", mib=limits.upload_mib, megapixels=f"{limits.megapixels:g}", count=limits.photographs),
    )  # fmt: skip
    said = st.container()
    if len(files) > limits.photographs:
        said.warning(w("too_many", count=limits.photographs))
        files = files[: limits.photographs]
    known: dict[str, Photo] = st.session_state.setdefault("photos", {})
    wanted: dict[str, tuple[str, Callable[[], bytes]]] = {f.file_id: (f.name, f.getvalue) for f in files}
    sample = st.session_state.get("sample-photo")
    if sample and not files:
        wanted = {sample: (SAMPLES[sample], sample_file(SAMPLES[sample]).read_bytes)}
    for key in set(known) - set(wanted):
        del known[key]
    return [known.setdefault(key, Photo(name, load)) for key, (name, load) in wanted.items()]


def begin() -> None:
    """The page before there is a photograph."""
    st.info(w("begin"), icon=":material/arrow_upward:")
    st.subheader(w("samples"), anchor=False)
    for column, (key, name) in zip(st.columns(len(SAMPLES)), SAMPLES.items()):
        with column:
            st.image(small(name), alt=w("sample_" + key), width="stretch")
            st.button(w("sample_" + key), key="try-" + key, on_click=_try, args=(key,), width="stretch")


def sample_file(name: str) -> Path:
    """A sample of the repository, or of the installed package."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package.parent / "samples", package / "samples"):
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(name)


@cache
def small(name: str) -> bytes:
    """A sample as it is shown beside the others: a JPEG, made once and not for each page."""
    with Image.open(sample_file(name)) as image:
        fitted = ImageOps.fit(image.convert("RGB"), (640, 450))  # all of one height: their buttons stand in a row
        out = io.BytesIO()
        fitted.save(out, "JPEG", quality=88)
        return out.getvalue()


def _try(key: str) -> None:
    st.session_state["sample-photo"] = key
