"""The settings, one table for the procedures' arguments, the dialog, and what the worker is sent."""

import json
import os

from gi.repository import GLib, GObject
from words import _

APART = 1.0  # percent: black is below white by so much at the least

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "settings.json"), encoding="utf-8") as _f:
    FINE = json.load(_f)  # the recipe "balanced" in numbers, made of Nuggy's own declarations by tools/texts.py
# They count only when "fine-tune" is on. In labels; the dialog's own buttons have: o c r h l s
LETTERS = {"radius": "a", "edge-contrast": "d", "black": "b", "white": "w", "gamma": "g", "min-area": "m",
           "min-reach": "t", "max-hole": "i"}  # fmt: skip


def _said(row):
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
    (name, label, help).

    They are strings to GIMP, and not its Choice: of that a script's wrong value becomes the default, and nobody is
    told.
    """
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
    for name, _label, _help, _default, values in choices():
        possible = [value[0] for value in values]
        if config.find_property(name) and config.get_property(name) not in possible:
            return _("“{0}” is no value of “{1}”; possible are {2}. Nothing was done.").format(
                config.get_property(name), name, ", ".join(possible)
            )
    return ""


def add(p, kind):
    """Give a procedure its arguments. kind: "mask", "layer" or "refine"."""
    rw = GObject.ParamFlags.READWRITE
    named = {row[0]: row for row in choices(kind)}
    for name in ("recipe", "keep", "existing-mask", "selection"):
        _add_choice(p, named.get(name), rw)
    if kind != "refine":
        other = _("Another network, by the name that “nuggy weights list” shows")
        p.add_string_argument("network", _("Network"), other, "", rw)
    p.add_string_argument("keep-channel", _("Keep what is white in"), _("The name of a channel with strokes"), "", rw)
    p.add_string_argument("drop-channel", _("Drop what is white in"), _("The name of a channel with strokes"), "", rw)
    if kind == "layer":
        _add_choice(p, named["foreground"], rw)
        p.add_boolean_argument(
            "hide-original", _("Hide the origi_nal layer"), _("So that the cut-out is seen at once"), True, rw
        )
    if kind != "refine":
        _add_fine(p, rw)
    p.add_boolean_aux_argument("preview", _("Pre_view"), _("Show the result before it is applied"), True, rw)


def _add_choice(p, row, rw):
    if row:
        name, label, text, default, values = row
        said = ", ".join(f"{value}: {of}" for value, _label, of in values)
        p.add_string_argument(name, label, f"{text} ({said})", default, rw)


def _add_fine(p, rw):
    p.add_boolean_argument(
        "fine-tune", _("_Use these values"), _("Instead of those of the recipe"), False, rw
    )  # fmt: skip
    for row in FINE:
        given = (row["argument"], *_said(row), row["minimum"], row["maximum"], row["default"], rw)
        if row["argument"] == "passes":
            label, text = _said(row)
            p.add_int_argument("passes", label, _("{0} 0 leaves it to the recipe.").format(text), 0, 3, 0, rw)
        else:
            p.add_double_argument(*given)


def keep_apart(config, changed):
    """Black stays below white in a dialog: the one that was not moved makes way."""
    black, white = config.get_property("black"), config.get_property("white")
    if black >= white:
        if changed == "black":
            config.set_property("white", min(black + APART, 100.0))
        else:
            config.set_property("black", max(white - APART, 0.0))


def of(config):
    """The worker's fields for a configuration. Behind a mask, in the preview too, the layer keeps its own colours."""

    def value(name, without):
        return config.get_property(name) if config.find_property(name) else without

    return {
        "start": "network" if config.find_property("recipe") else "mask",
        "recipe": value("recipe", "balanced"),
        "existing": value("existing-mask", "replace"),
        "selection": value("selection", "limit"),
        "network": value("network", "") or "",
        "keep_channel": value("keep-channel", "") or "",
        "drop_channel": value("drop-channel", "") or "",
        "settings": settings(lambda name: value(name, False)) | {"foreground": value("foreground", "none")},
    }


def settings(value):
    """Fields of a recipe; value: argument's name -> its value."""
    out = {"islands": value("keep")}
    if value("fine-tune"):
        for row in FINE:
            x = value(row["argument"])
            if row["argument"] != "passes" or x:
                out[row["setting"]] = (x * row["factor"]) ** row["power"]
    return out
