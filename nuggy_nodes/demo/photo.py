"""A photograph on the page: its file, what the network said of it, the cut-out as it is now."""

from __future__ import annotations

import io
import itertools
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from ..cli.pixels import to_pixels, to_tensor
from ..cli.work import EMPTY
from ..core import Cutout, Guidance, Recipe, answer, look_again, look_once
from ..core.errors import ImageError
from ..core.guided_answer import Seen, asks_network
from ..pictures import Picture, read
from ..service.engine import Studio, shown_as
from .sketch import slow, smaller

THUMB, LEAST = 240, 8  # pixels of the longer side, of the other: Streamlit's st.image makes less than one of a line


@dataclass(eq=False)
class Photo:
    """name: as its sender calls it. load: gives the file's bytes. keep, drop: strokes [H,W] of any size, or None;
    boxes: x, y, width, height in pixels of the photograph."""

    name: str
    load: Callable[[], bytes]
    keep: Tensor | None = None
    drop: Tensor | None = None
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    said: int = 0  # changes with every correction
    thumb: bytes = b""
    error: Exception | None = None
    note: str = ""
    number: int = field(default_factory=itertools.count().__next__)  # no other photograph of any page has it
    used: float = field(default_factory=time.monotonic)
    _picture: Picture | None = None
    _seen: Seen | None = None
    _asked: Recipe | None = None
    _result: tuple[Any, Cutout] | None = None
    _small: Seen | None = None  # of _seen, for sketches
    _shown: bytes = b""

    def picture(self, studio: Studio) -> Picture:
        """The photograph. Raises ImageError."""
        if self._picture is None:
            found = read(shown_as(self.name), megapixels=studio.limits.megapixels, data=self.load())
            self._picture, self.note = found, found.note
        return self._picture

    def cutout(self, studio: Studio, recipe: Recipe, report: Callable[[str, float], None] | None = None) -> Cutout:
        """The cut-out under a recipe and the corrections; only what has changed is done again. In one's turn.

        Raises NuggyError."""
        self.used = time.monotonic()
        key = (recipe, self.said)
        if self._result is None or self._result[0] != key:
            self._result = None
            seen = self._look(studio, recipe, report)
            self._result = key, answer(seen, self.guidance())
            self.used = time.monotonic()  # the work itself may have taken long
        return self._result[1]

    def sketch(self, recipe: Recipe) -> Cutout | None:
        """The cut-out of the photograph made smaller, soon; None where the whole one is nearly as soon, or what is
        asked for is not what comes after the network. In one's turn."""
        self.used = time.monotonic()
        if self._seen is None or self.guidance() or not slow(self._seen, recipe) or asks_network(self._seen, recipe):
            return None
        self._small = self._small or smaller(self._seen)
        return answer(look_again(self._small, recipe))

    def has(self, recipe: Recipe) -> bool:
        """Whether there is nothing to be done for the cut-out."""
        return self._result is not None and self._result[0] == (recipe, self.said)

    def guidance(self) -> Guidance | None:
        """What the corrections say; None: nothing."""
        found = Guidance(keep=self.keep, drop=self.drop, boxes=self.boxes)
        return found if found else None

    def correct(self, keep: Tensor | None, drop: Tensor | None, boxes: tuple[Any, ...]) -> None:
        """Say something else than before."""
        self.keep, self.drop, self.boxes = keep, drop, boxes
        self.said += 1

    def shown(self, side: int) -> bytes:
        """The photograph, seen already, as it is sent to the browser: made once. side: the longer one, at the most."""
        assert self._seen is not None
        self._shown = self._shown or jpeg(self._seen.photographs, side)
        return self._shown

    def empty(self) -> bool:
        """Whether nothing was found."""
        return self._result is not None and float(self._result[1].alpha.amax()) <= EMPTY

    def held(self) -> int:
        """Bytes of what can be made again."""
        pixels = 0 if self._seen is None else self._seen.images.shape[-1] * self._seen.images.shape[-2]
        return pixels * 32

    def let_go(self) -> None:
        """Drop what can be made again."""
        self._picture = self._seen = self._small = self._result = None
        self._shown = b""

    def _look(self, studio: Studio, recipe: Recipe, report: Callable[[str, float], None] | None) -> Seen:
        if self._seen is not None:
            if self._asked != recipe:  # not the recipe of what was seen: that one fits its network (recipes.around)
                again = asks_network(self._seen, recipe)
                self._seen, self._asked = look_again(self._seen, recipe, report), recipe
                self._small = None if again else self._small
            return self._seen
        picture = self.picture(studio)
        image = to_tensor(picture.rgb, studio.device)
        opacity = None if picture.alpha is None else to_tensor(picture.alpha, studio.device)
        self._small = None
        self._seen, self._asked = look_once(image, studio.network, recipe, opacity=opacity, report=report), recipe
        return self._seen


class Shelf:
    """All photographs of all pages, for the memory that they take: the longest unused are let go of first."""

    def __init__(self, most: int, seconds: float):
        """most: bytes of all together. seconds: after which a photograph that nobody uses is let go of."""
        self.most, self.seconds = most, seconds
        self._photos: weakref.WeakSet[Photo] = weakref.WeakSet()
        self._lock = threading.Lock()

    def add(self, photo: Photo) -> Photo:
        """The photograph, which is counted from now on as long as it lives."""
        with self._lock:
            self._photos.add(photo)
        return photo

    def old(self) -> bool:
        """Whether something is held that nobody has used for long."""
        with self._lock:
            photos = list(self._photos)
        return any(p.held() and time.monotonic() - p.used > self.seconds for p in photos)

    def tidy(self, but: Photo | None = None) -> int:
        """Let go of what is too much or too old, not of `but`. To be called in one's turn. Returns the bytes left."""
        with self._lock:
            photos = sorted(self._photos, key=lambda p: p.used)
        total, now = sum(p.held() for p in photos), time.monotonic()
        for photo in photos:
            if photo is not but and photo.held() and (total > self.most or now - photo.used > self.seconds):
                total -= photo.held()
                photo.let_go()
        return total


def jpeg(planes: Tensor, side: int = 0, quality: int = 90, least: int = 1) -> bytes:
    """A picture [1,3,H,W] or a mask [1,1,H,W] for the browser; side: the longer one, at the most (0: as it is); least:
    either side, or it is stretched to that."""
    from PIL import Image

    image = Image.fromarray(to_pixels([planes], np.uint8))
    if side:
        image.thumbnail((side, side))
    if min(image.size) < least:
        image = image.resize((max(image.width, least), max(image.height, least)))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def kind(error: BaseException) -> str:
    """The key of the words for what has gone wrong with a photograph."""
    from ..cli.run import out_of_memory

    text = str(error)
    if out_of_memory(error) or "memory" in text:
        return "fault_memory"
    if not isinstance(error, ImageError):
        return "fault_other"
    if "over the limit" in text:
        return "fault_large"
    return "fault_no_picture" if "of no format" in text or "is no " in text or "is empty" in text else "fault_damaged"
