"""A setting said once: default, range, choices, unit, label and help stand beside each other, at the field of Recipe.

From here come the checks of a recipe, the command line's options, the nodes' inputs, the GIMP dialog's table and the
tables in docs. What one setting means to another (black below white) is checked by the recipe.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from .errors import InputError

SHARE = "share"  # 0..1; people are shown percent
CONTRAST = "contrast^2"  # a squared contrast; people are shown the contrast in percent
PIXELS = "px"
FRAMES = (3, 5)  # of a clip, that may tell a mask (refine.temporal); no Recipe has it, for a photograph has one frame
PIXELS_AT_1024 = "px at 1024"  # pixels of a photograph whose long side is 1024; grows with the photograph


@dataclass(frozen=True)
class Setting:
    """One setting of a recipe.

    name: the field's. default: its type is the setting's (float, int, str; tuple for views). label: one to three words.
    part: the step of the pipeline that takes it as a keyword. help: a sentence or three, without the range, which is
    shown beside it. minimum, maximum: of a number, both allowed. step: by which a slider moves. choices: of
    a word. aliases: words for a choice in earlier releases. unit: one of this module's. slider: where a
    slider may end, if that is below the maximum.
    advanced: folded away where there is room for few.
    """

    name: str
    default: Any
    label: str
    part: str
    help: str
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    aliases: dict[str, str] | None = None
    unit: str = ""
    slider: float | None = None
    advanced: bool = False

    @property
    def kind(self) -> type:
        """float, int, str or tuple."""
        return type(self.default)

    @property
    def allowed(self) -> str:
        """The range or the choices, as text: "0.5 to 128", "colour, grey, none"; empty where anything goes."""
        if self.choices:
            return ", ".join(self.choices)
        return "" if self.minimum is None else f"{self.minimum:g} to {self.maximum:g}"

    def check(self, value: Any) -> Any:
        """The value in the setting's own type.

        Args:
            value: what a caller gave; whole numbers serve as float, floats without a fraction as int.

        Returns:
            The value as `kind`.

        Raises:
            InputError: it is of another type, out of range, not finite, or not one of the choices.
        """
        if self.kind in (int, float):
            good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
            if not good or (self.kind is int and value != int(value)):
                raise InputError(f"{self.name} must be a {'whole ' * (self.kind is int)}number; got {value!r}")
            if self.minimum is not None and self.maximum is not None and not self.minimum <= value <= self.maximum:
                raise InputError(f"{self.name} must be from {self.minimum:g} to {self.maximum:g}; got {value:g}")
            return self.kind(value)
        if self.kind is str and not isinstance(value, str):
            raise InputError(f"{self.name} must be a word; got {value!r}")
        value = (self.aliases or {}).get(value, value)
        if self.choices and value not in self.choices:
            raise InputError(f"{self.name} must be one of {self.allowed}; got {value!r}")
        return value


def setting(default: Any, label: str, part: str, help: str, **more: Any) -> Any:
    """A field of Recipe that is a Setting; its name is the field's.

    Args:
        default, label, part, help: Setting's.
        **more: the others of Setting.

    Returns:
        A dataclass field.
    """
    return field(default=default, metadata={"setting": (default, label, part, help, more)})


def settings_of(kind: type) -> dict[str, Setting]:
    """The settings of a dataclass.

    Args:
        kind: the class.

    Returns:
        Settings by name, in its order.
    """
    found = {}
    for f in fields(kind):
        if "setting" in f.metadata:
            default, label, part, help, more = f.metadata["setting"]
            found[f.name] = Setting(f.name, default, label, part, help, **more)
    return found


def listed(words: Sequence[str]) -> str:
    """Words as a sentence has them.

    Args:
        words: any number.

    Returns:
        "a, b or c".
    """
    return ", ".join(words[:-1]) + " or " + words[-1] if len(words) > 1 else "".join(words)
