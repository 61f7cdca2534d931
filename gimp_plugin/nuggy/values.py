"""What values the arguments may have: the named ones, and the numbers with their ranges.

GIMP itself would make the default of a script's wrong value, and say nothing: a Choice that is not among its values, a
number out of its range (there a line on the console, where there is one). So arguments are declared as any string and
any number, and looked at here.
"""

import json
import os
import sys
from dataclasses import dataclass

from gi.repository import GLib
from words import _

APART = 1.0  # percent: black is below white by so much at the least

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "settings.json"), encoding="utf-8") as _f:
    FINE = json.load(_f)  # the recipe "balanced" in numbers, made of Nuggy's own declarations by tools/texts.py
# They count only when "fine-tune" is on. In labels; the dialog's own buttons have: o c r h l s
LETTERS = {"radius": "a", "edge-contrast": "d", "black": "b", "white": "w", "gamma": "g", "min-area": "m",
           "min-reach": "t", "max-hole": "i"}  # fmt: skip
ANY, ANY_WHOLE = sys.float_info.max, 2**31 - 1  # as arguments GIMP takes them all


@dataclass(frozen=True)
class Range:
    """Of a number."""

    minimum: float
    maximum: float
    default: float
    whole: bool

    def inside(self, value):
        """The value, or the bound that it is beyond."""
        return min(max(value, self.minimum), self.maximum)


RANGES = {r["argument"]: Range(r["minimum"], r["maximum"], r["default"], r["whole"]) for r in FINE}
RANGES["passes"] = Range(0, 3, 0, True)  # 0: the recipe's
RANGES["uncertainty"] = Range(0.0, 500.0, 0.0, False)  # pixels of the layer; 0: measured


def said(row):
    """A row's label and help in the user's language, else in English."""
    language = next((n[:2] for n in GLib.get_language_names() if n[:2] in row["label"] or n == "C"), "en")
    label = row["label"].get(language) or row["label"]["en"]
    letter = LETTERS.get(row["argument"], "")
    at = label.lower().find(letter) if letter else -1
    label = label[:1].upper() + label[1:]
    if at >= 0:
        label = f"{label[:at]}_{label[at:]}"
    elif letter and language in ("ko", "ja", "zh"):  # where a letter in brackets is the custom
        label += f"(_{letter.upper()})"
    return label + (" (%)" if row["percent"] else ""), row["help"].get(language) or row["help"]["en"]


def choices(kind="layer"):
    """The settings with named values that a kind of procedure has: (argument, label, help, default, values), a value
    (name, label, help)."""
    rows = [
        ("recipe", _("Reci_pe"), _("How much time to spend"), "balanced", (
            ("fast", _("Fast"), _("One look at the picture")),
            ("balanced", _("Balanced"), _("A few looks; for most pictures")),
            ("best", _("Best"), _("As good as it gets; takes the longest")))),
        ("keep", _("_Keep"), _("Which parts stay visible"), "subject", (
            ("subject", _("The subject"), _("Large parts, and thin strands however small")),
            ("largest", _("One part"), _("The largest part alone")),
            ("all", _("Everything found"), _("Specks too")))),
        ("existing-mask", _("_Existing mask"), _("What becomes of a mask that the layer has"), "replace", (
            ("replace", _("Replace"), _("The new mask takes its place")),
            ("intersect", _("Intersect"), _("Visible is what both masks show")),
            ("add", _("Add"), _("Visible is what either mask shows")))),
        ("selection", _("The selection is"), _("What the selection says, where there is one"), "limit", (
            ("limit", _("The limit"), _("Outside it nothing changes")),
            ("box", _("The subject's box"), _("The subject lies within its bounds")),
            ("subject", _("The subject, roughly"), _("Its edge is found in the picture")))),
        ("foreground", _("_Foreground colours"), _("The new layer's colours at soft edges"), "multilevel", (
            ("multilevel", _("The subject's own"), _("The background's colour is taken out of soft edges")),
            ("none", _("As in the layer"), _("Soft edges keep a rim of the background's colour")))),
    ]  # fmt: skip
    has = {"layer": [row[0] for row in rows], "refine": ["keep"]}.get(kind, [row[0] for row in rows[:-1]])
    return [row for row in rows if row[0] in has]


def wrong(config):
    """What is wrong with a script's values, as a message; "" if nothing is."""
    for name, value, possible in _values(config):
        if isinstance(possible, tuple):
            text = _("“{0}” is no value of “{1}”; possible are {2}. Nothing was done.")
            return text.format(value, name, ", ".join(possible))
        text = _("{0} is outside of what “{1}” takes: {2} to {3}. Nothing was done.")
        return text.format(f"{value:g}", name, f"{possible.minimum:g}", f"{possible.maximum:g}")
    return ""


def mend(config):
    """Values of a dialog or of its last use that another version of Nuggy allowed become the default, or the bound."""
    for name, value, possible in _values(config):
        if isinstance(possible, tuple):
            config.set_property(name, next(row[3] for row in choices() if row[0] == name))
        else:
            config.set_property(name, possible.default if value != value else possible.inside(value))


def _values(config):
    """The arguments that have a value that cannot be: (name, value, the possible ones: a tuple of names or a Range)."""
    for name, _label, _help, _default, values in choices():
        possible = tuple(value[0] for value in values)
        if config.find_property(name) and config.get_property(name) not in possible:
            yield name, config.get_property(name), possible
    for name, possible in RANGES.items():
        if config.find_property(name) and possible.inside(config.get_property(name)) != config.get_property(name):
            yield name, config.get_property(name), possible


def keep_apart(config, changed):
    """Black stays below white in a dialog: the one that was not moved makes way."""
    black, white = config.get_property("black"), config.get_property("white")
    if black >= white:
        if changed == "black":
            config.set_property("white", min(black + APART, 100.0))
        else:
            config.set_property("black", max(white - APART, 0.0))
