"""The settings as the procedures' arguments, and as what the worker is sent."""

from gi.repository import GObject
from values import ANY, ANY_WHOLE, FINE, RANGES, choices, said
from words import _


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
    if kind == "refine":
        text = _("How far the mask's edge may be off, in pixels of the layer. 0 measures it.")
        _add_number(p, "uncertainty", _("Uncertaint_y"), text, rw)
    else:
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
        label, text = said(row)
        if row["argument"] == "passes":
            text = _("{0} 0 leaves it to the recipe.").format(text)
        _add_number(p, row["argument"], label, text, rw)


def _add_number(p, name, label, text, rw):
    """Any number, to GIMP; values.wrong tells of one out of its range."""
    of = RANGES[name]
    text = f"{text} ({of.minimum:g} – {of.maximum:g})"
    if of.whole:
        p.add_int_argument(name, label, text, -ANY_WHOLE, ANY_WHOLE, int(of.default), rw)
    else:
        p.add_double_argument(name, label, text, -ANY, ANY, of.default, rw)


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
        "uncertainty": value("uncertainty", 0.0),
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
