"""What a request's query asks for: a recipe, an output, a box; each checked where it is declared."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.errors import InputError
from ..core.recipes import ALIASES, RECIPES, SETTINGS

if TYPE_CHECKING:
    from ..cli.guidance import Said
    from ..cli.work import Output
    from ..core import Recipe

FORMATS = ("png", "webp", "tiff", "jpeg", "avif")
OUTPUTS = ("rgba", "mask", "composite")
MEDIA = {"png": "image/png", "webp": "image/webp", "tiff": "image/tiff", "jpeg": "image/jpeg", "avif": "image/avif"}
OWN: dict[str, tuple[dict[str, Any], str]] = {  # what is no setting of a recipe: schema and a sentence
    "recipe": ({"type": "string", "enum": [*RECIPES, *ALIASES], "default": "default"}, "Named settings."),
    "output": ({"type": "string", "enum": list(OUTPUTS)}, "A picture with transparency (rgba), the mask, or the "
               "subject over `background` (composite). Default: rgba; composite for jpeg."),
    "format": ({"type": "string", "enum": list(FORMATS), "default": "png"}, "The result's file format."),
    "background": ({"type": "string", "default": "white"}, "Of a composite: a colour, for example white, #30a0ff."),
    "quality": ({"type": "integer", "minimum": 1, "maximum": 100}, "Of jpeg, avif, and of webp, lossless without."),
    "strip": ({"type": "boolean", "default": False}, "Leave out the photograph's EXIF block."),
    "first_frame": ({"type": "boolean", "default": False}, "Of an animation, cut out the first frame only."),
    "box": ({"type": "array", "items": {"type": "string"}}, "The subject lies in this box: x,y,width,height in "
            "pixels. May be given again."),
}  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """What a request asks for."""

    recipe: Recipe
    output: Output
    said: Said

    @property
    def media(self) -> str:
        """The result's media type."""
        return MEDIA[self.output.style.form]


def wanted(query: Sequence[tuple[str, str]], megapixels: float) -> Wanted:
    """A query's pairs as what is to be done. Raises InputError, in one sentence, for any of them."""
    from ..cli.guidance import Said, _box
    from ..cli.settings import recipe_of
    from ..cli.work import Output
    from ..pictures import Style

    given: dict[str, str] = {}
    boxes = []
    for name, value in query:
        if name not in OWN and name not in SETTINGS:
            raise InputError(f"{name!r} is no setting; there are {', '.join((*OWN, *SETTINGS))}")
        if name == "box":
            try:
                boxes.append(_box(value))
            except argparse.ArgumentTypeError as e:
                raise InputError(str(e)) from None
        elif name in given:
            raise InputError(f"{name} is given twice; give it once")
        else:
            given[name] = value
    texts: dict[str, str | list[str]] = {n: given[n] for n in SETTINGS if n in given}
    if "views" in given:
        texts["views"] = given["views"].split() or [""]
    recipe = recipe_of(argparse.Namespace(recipe=given.get("recipe", "default"), **texts))
    form = _one_of("format", given.get("format", "png"), FORMATS)
    what = _one_of("output", given.get("output", "composite" if form == "jpeg" else "rgba"), OUTPUTS)
    if form == "jpeg" and what == "rgba":
        raise InputError("JPEG holds no transparency; give output=composite or mask, or another format")
    if "background" in given and what != "composite":
        raise InputError("background is for output=composite (or format=jpeg); give that too")
    behind = colour(given.get("background", "white")) if what == "composite" else None
    style = Style(form, _quality(given.get("quality")))
    output = Output(what, style, behind, _truth("strip", given), _truth("first_frame", given))
    return Wanted(recipe, output, Said(argparse.Namespace(box=boxes, max_megapixels=megapixels)))


def colour(text: str):  # type: ignore[no-untyped-def]
    """A Backdrop of one colour. Never a file: a path in a request is refused as no colour. Raises InputError."""
    from PIL import ImageColor

    from ..cli.backdrop import backdrop

    try:
        ImageColor.getrgb(text)
    except ValueError:
        raise InputError(f"background {text[:60]!r} is no colour; give white, #30a0ff or rgb(0,128,0)") from None
    return backdrop(text)


def _one_of(name: str, value: str, choices: Sequence[str]) -> str:
    if value not in choices:
        raise InputError(f"{name} must be one of {', '.join(choices)}; got {value!r}")
    return value


def _quality(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= 100):
        raise InputError(f"quality must be from 1 to 100; got {text!r}")
    return int(text)


def _truth(name: str, given: dict[str, str]) -> bool:
    value = given.get(name, "false").lower()
    if value not in ("true", "false", "1", "0", ""):
        raise InputError(f"{name} must be true or false; got {value!r}")
    return value in ("true", "1", "")
