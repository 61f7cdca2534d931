"""The settings, one table for the procedures' arguments, the dialog, and what the worker is sent."""

from gi.repository import Gimp, GObject
from words import _

RECIPES = ("fast", "balanced", "best")
KEEP = ("subject", "largest", "all")
EXISTING = ("replace", "intersect", "add")

# The recipe "balanced" in numbers: argument, field of the recipe, factor from the argument to the field, lowest,
# highest, value, digits. They count only when "fine-tune" is on.
FINE = (
    ("radius", "radius", 1.0, 1.0, 100.0, 20.0, 0),
    ("edge-contrast", "epsilon", 0.01, 0.1, 30.0, 1.0, 1),  # percent of full contrast; the field is its square
    ("black", "black", 0.01, 0.0, 99.0, 10.0, 0),
    ("white", "white", 0.01, 1.0, 100.0, 90.0, 0),
    ("gamma", "gamma", 1.0, 0.1, 4.0, 1.0, 2),
    ("min-area", "min_area", 0.01, 0.0, 10.0, 0.2, 2),
    ("min-reach", "min_reach", 0.01, 0.0, 50.0, 2.0, 1),
    ("max-hole", "max_hole", 0.01, 0.0, 10.0, 0.0, 2),
)
# Letters that the dialog's own buttons have: o c r h l s


def _labels():
    return {
        "radius": (_("R_adius"), _("Of the edge filter: pixels of a picture 1024 pixels long, grows with the picture")),
        "edge-contrast": (_("E_dge contrast"), _("Percent; weaker edges of the picture are ignored")),
        "black": (_("_Black level"), _("Percent; the mask is black up to this opacity")),
        "white": (_("_White level"), _("Percent; the mask is white from this opacity")),
        "gamma": (_("_Gamma"), _("Exponent on the mask; below 1 lifts half-transparent parts")),
        "min-area": (_("S_mallest part"), _("Percent of the picture's area; smaller detached parts are hidden")),
        "min-reach": (
            _("Shor_test strand"),
            _("Percent of the picture's diagonal; longer thin parts stay, however small"),
        ),
        "passes": (_("Filter passes"), _("How often the edge filter runs; 0 leaves it to the recipe")),
        "max-hole": (_("F_ill holes"), _("Percent of the picture's area; holes up to this size are filled")),
    }


def _choice(*rows):
    c = Gimp.Choice.new()
    for i, (name, label, text) in enumerate(rows):
        c.add(name, i, label, text)
    return c


def add(p, new_layer):
    """Give a procedure its arguments."""
    rw = GObject.ParamFlags.READWRITE
    p.add_choice_argument(
        "recipe", _("Reci_pe"), _("How much time to spend"), _choice(
            ("fast", _("Fast"), _("One look at the picture")),
            ("balanced", _("Balanced"), _("A few looks; for most pictures")),
            ("best", _("Best"), _("As good as it gets; takes the longest")),
        ), "balanced", rw)  # fmt: skip
    p.add_choice_argument(
        "keep", _("_Keep"), _("Which parts stay visible"), _choice(
            ("subject", _("The subject"), _("Large parts, and thin strands however small")),
            ("largest", _("One part"), _("The largest part alone")),
            ("all", _("Everything found"), _("Specks too")),
        ), "subject", rw)  # fmt: skip
    p.add_choice_argument(
        "existing-mask", _("_Existing mask"), _("What becomes of a mask that the layer has"), _choice(
            ("replace", _("Replace"), _("The new mask takes its place")),
            ("intersect", _("Intersect"), _("Visible is what both masks show")),
            ("add", _("Add"), _("Visible is what either mask shows")),
        ), "replace", rw)  # fmt: skip
    if new_layer:
        p.add_choice_argument(
            "foreground", _("_Foreground colours"), _("The new layer's colours at soft edges"), _choice(
                ("multilevel", _("The subject's own"), _("The background's colour is taken out of soft edges")),
                ("blur-fusion", _("The subject's own, coarser"), _("By a simpler method; part of a rim stays")),
                ("none", _("As in the layer"), _("Soft edges keep a rim of the background's colour")),
            ), "multilevel", rw)  # fmt: skip
        p.add_boolean_argument(
            "hide-original", _("Hide the origi_nal layer"), _("So that the cut-out is seen at once"), True, rw
        )
    p.add_boolean_argument(
        "fine-tune", _("_Use these values"), _("Instead of those of the recipe"), False, rw
    )  # fmt: skip
    labels = _labels()
    for name, _field, _factor, low, high, value, _digits in FINE:
        p.add_double_argument(name, *labels[name], low, high, value, rw)
    p.add_int_argument("passes", *labels["passes"], 0, 3, 0, rw)
    p.add_boolean_aux_argument("preview", _("Pre_view"), _("Show the result before it is applied"), True, rw)


def of(config):
    """The worker's fields for a configuration. Behind a mask, in the preview too, the layer keeps its own colours."""
    own = config.get_property("foreground") if config.find_property("foreground") else "none"
    return {
        "recipe": config.get_property("recipe"),
        "existing": config.get_property("existing-mask"),
        "settings": settings(config.get_property) | {"foreground": own},
    }


def settings(value):
    """Fields of a recipe; value: argument's name -> its value."""
    out = {"islands": value("keep")}
    if value("fine-tune"):
        for name, field, factor, *_rest in FINE:
            x = value(name) * factor
            out[field] = x * x if name == "edge-contrast" else x
        if value("passes"):
            out["passes"] = value("passes")
    return out
