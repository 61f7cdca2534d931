"""The dialog: GIMP's own for a procedure, with the settings that matter, the rest under an expander, and a preview."""

import re

import gi

gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
import arguments  # noqa: E402
import pickers  # noqa: E402
import preview  # noqa: E402
from gi.repository import Gimp, GimpUi, Gtk  # noqa: E402
from words import _  # noqa: E402

SIZE = 1080, 680  # pixels of the window when it opens
SETTINGS = 400  # pixels: sliders long enough to drag


def run(procedure, config, image, layer, want, ask):
    """Show the dialog: whether OK was pressed, and the strokes that were drawn, as source.Source.job takes them.

    want: as in the protocol. ask(how, fields, blobs) begins a Question.
    """
    GimpUi.init("nuggy")
    window = GimpUi.ProcedureDialog.new(procedure, config, title(procedure))
    rows = [n for n in ("hide-original",) if config.find_property(n)]
    if config.find_property("fine-tune"):
        _fine(window, config)
        rows.append("fine")
    if not rows:  # it takes no empty list
        window.get_label("nothing", "", False, False)
    box = window.fill_box("settings", rows or ["nothing"])
    box.set_size_request(SETTINGS, -1)
    box.set_valign(Gtk.Align.START)
    box.set_hexpand(False)  # what grows is the preview
    named = pickers.Named(config, [row for row in arguments.choices() if config.find_property(row[0])])
    named.allow("existing-mask", layer.get_mask() is not None)
    named.allow("selection", not Gimp.Selection.is_empty(image))
    box.pack_start(named.widget, False, False, 0)
    box.reorder_child(named.widget, 0)
    more = pickers.Pickers(config, image)
    box.pack_start(more.widget, False, False, 0)
    side_by_side = window.fill_box("side-by-side", ["settings"])  # unfolded and one below the other: 980 pixels high
    side_by_side.set_orientation(Gtk.Orientation.HORIZONTAL)
    window.fill(["side-by-side"])
    shown = preview.Preview(config, image, layer, want, lambda: arguments.of(config), ask)
    side_by_side.pack_start(shown.widget, True, True, 0)
    side_by_side.reorder_child(shown.widget, 0)
    parent = side_by_side.get_parent()
    parent.child_set_property(side_by_side, "expand", True)
    parent.child_set_property(side_by_side, "fill", True)
    window.set_resizable(True)
    window.set_default_size(*SIZE)
    shown.widget.show_all()
    shown.start()
    try:
        return window.run(), shown.marks()
    finally:
        more.stop()
        shown.stop()
        window.destroy()


def _fine(window, config):
    """The numbers behind the recipe, folded away."""
    digits = {row["argument"]: row["digits"] for row in arguments.FINE}
    for name, count in digits.items():
        window.get_scale_entry(name, 1.0).set_digits(count)
        window.set_sensitive(name, True, config, "fine-tune", False)
    for name in ("black", "white"):
        config.connect(f"notify::{name}", lambda c, p: arguments.keep_apart(c, p.name))
    window.get_label("fine-title", _("Fine tuning"), False, False)
    window.fill_box("fine-box", ["fine-tune", *digits])
    window.fill_expander("fine", "fine-title", False, "fine-box").set_resize_toplevel(False)  # there is room beside


def title(procedure):
    """The menu label without its mnemonic, which Asian translations put in brackets at the end, and without dots."""
    return re.sub(r"\(_\w\)|_", "", procedure.get_menu_label()).rstrip(".")
