"""Containers written: ProRes in MOV, VP9 in WebM, H.264 in MP4; a playable file, or none."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import ImageError
from ..pictures.picture import both
from ..pictures.read import reason
from .colour import from_rgb
from .decode import opened
from .frame import About, Frame, pyav
from .sound import Sound


@dataclass(frozen=True)
class Packing:
    """How pictures are packed: codec, pixel format for 8 and for more bits, options; even: whether sides must be."""

    codec: str
    pix_fmt: str
    deep: str
    options: dict[str, str]
    even: bool = False


def packing(form: str, alpha: bool, quality: int | None) -> Packing:
    """quality: 1 to 100, of WebM and MP4 (default 90)."""
    q = 90 if quality is None else quality
    if form == "mov":
        if alpha:
            told = {"profile": "4444", "alpha_bits": "16", "vendor": "apl0"}
            return Packing("prores_ks", "yuva444p10le", "yuva444p10le", told)
        return Packing("prores_ks", "yuv422p10le", "yuv422p10le", {"profile": "hq", "vendor": "apl0"}, even=True)
    if form == "webm":
        told = {"crf": str(round(60 - 0.45 * q)), "b": "0", "row-mt": "1", "deadline": "good", "cpu-used": "4",
                "auto-alt-ref": "0"}  # fmt: skip
        return Packing("libvpx-vp9", *(("yuva420p",) * 2 if alpha else ("yuv420p",) * 2), told)
    return Packing("libx264", "yuv420p", "yuv420p10le", {"crf": str(round(40 - 0.25 * q)), "preset": "medium"}, True)


class Movie:
    """A container being written: `add` frames in order. note: what the user should know."""

    def __init__(self, container: Any, form: str, about: About, alpha: bool, quality: int | None, target: Path):
        self._way, self._about, self._out, self._target = packing(form, alpha, quality), about, container, target
        self._sound: Sound | None = None
        self._alpha, self.note = alpha, ""
        way = self._way
        self._stream = container.add_stream(way.codec, rate=about.rate.limit_denominator(1 << 16), options=way.options)
        width, height = (n + n % 2 if way.even else n for n in (about.width, about.height))
        if (width, height) != (about.width, about.height):
            self.note = f"{form} holds even sides only: the last column or row is there twice ({width}x{height})"
        if about.deep and form == "webm":
            self.note = both(self.note, "webm holds 8 bits of its more")
        context = self._stream.codec_context
        context.width, context.height = width, height
        context.pix_fmt = way.deep if about.deep else way.pix_fmt
        context.time_base = self._stream.time_base = about.base
        context.sample_aspect_ratio = about.aspect
        context.color_range, context.colorspace = 1, about.colours.matrix
        context.color_primaries, context.color_trc = about.colours.primaries, about.colours.transfer
        context.thread_type = "AUTO"
        self._size, self._form = (height, width), form
        if alpha and form == "webm":
            self._stream.metadata["alpha_mode"] = "1"

    def hear(self, source: Any) -> None:
        """Carry over the sound of an opened container; before the first frame."""
        self._sound = Sound(source, self._out, self._form)
        self.note = both(self.note, self._sound.note)

    def add(self, pixels: np.ndarray, frame: Frame) -> None:
        """pixels [H,W] or [H,W,3 or 4], uint8 or uint16, of the frame that they are made of. Raises ImageError."""
        if pixels.ndim == 2:
            pixels = np.repeat(pixels[..., None], 3, 2)
        height, width = self._size
        if pixels.shape[:2] != self._size:
            more = ((0, height - pixels.shape[0]), (0, width - pixels.shape[1]), (0, 0))
            pixels = np.pad(pixels, more, mode="edge")
        form = ("rgba" if pixels.shape[2] == 4 else "rgb") + ("64le" if pixels.shape[2] == 4 else "48le")
        if pixels.dtype == np.uint8:
            form = "rgba" if pixels.shape[2] == 4 else "rgb24"
        context, colours = self._stream.codec_context, self._about.colours
        made = from_rgb(np.ascontiguousarray(pixels), form, context.pix_fmt, colours)
        base = self._about.base
        made.pts, made.duration, made.time_base = round(frame.time / base), round(frame.duration / base), base
        with writing(self._target):
            self._out.mux(self._stream.encode(made))
            if self._sound:
                self._sound.until(frame.time)

    def finish(self) -> None:
        """Write what is still held. Raises ImageError."""
        with writing(self._target):
            self._out.mux(self._stream.encode(None))
            if self._sound:
                self._sound.until(None)
            self._out.close()
        if self._sound and self._sound.damaged:
            self.note = both(self.note, "parts of its sound are damaged and left out")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What goes wrong inside as ImageError, with the name of the file that is written: a full disk, mostly."""
    try:
        yield
    except (pyav().error.FFmpegError, OSError) as e:
        raise ImageError(f"{path}: cannot be written: {reason(e)}") from None


@contextmanager
def movie_of(path: Path, form: str, about: About, source: Path | None, *, alpha: bool, quality: int | None = None,
             overwrite: bool = False) -> Iterator[Movie]:  # fmt: skip
    """A container to write, in its place when all is done; on any failure or interrupt nothing is left.

    source: the clip whose sound it gets. Raises ImageError.
    """
    av = pyav()
    part = path.parent / f".nuggy-{os.getpid()}-{secrets.token_hex(4)}.part"
    try:
        with contextlib.ExitStack() as held:
            heard = held.enter_context(opened(source)) if source and about.sound else None
            told = {"movflags": "+faststart"} if form in ("mp4", "mov") else {}
            with writing(path):
                out = av.open(f"file:{part}", "w", format=form, container_options=told)
                held.callback(_closed, out)
                movie = Movie(out, form, about, alpha, quality, path)
                if heard is not None:
                    movie.hear(heard)
            yield movie
            movie.finish()
        if not overwrite and os.path.lexists(path):
            raise ImageError(f"{path}: exists; give --overwrite to replace it")
        with writing(path):
            os.replace(part, path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _closed(container: Any) -> None:
    """Close a container, whatever its end has to say: where that matters, `finish` has closed it."""
    with contextlib.suppress(pyav().error.FFmpegError, OSError):
        container.close()
