"""The dialog: GIMP's own for a procedure, with the settings that matter, the rest under an expander, and a preview."""

import re

import gi

gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
import arguments  # noqa: E402
import fine  # noqa: E402
import pickers  # noqa: E402
import preview  # noqa: E402
import values  # noqa: E402
from gi.repository import Gdk, Gimp, GimpUi, Gtk  # noqa: E402

SIZE = 1080, 680  # pixels of the window when it opens
SETTINGS = 400  # pixels: sliders long enough to drag


def run(procedure, config, image, chosen, want, ask):
    """Show the dialog: whether OK was pressed, and the strokes on each layer, by its id.

    want: as in the protocol. ask(how, fields, blobs) begins a Question.
    """
    GimpUi.init("nuggy")
    window = GimpUi.ProcedureDialog.new(procedure, config, title(procedure))
    rows = [n for n in ("hide-original",) if config.find_property(n)]
    if not rows:  # it takes no empty list
        window.get_label("nothing", "", False, False)
    box = window.fill_box("settings", rows or ["nothing"])
    box.set_size_request(SETTINGS, -1)
    box.set_valign(Gtk.Align.START)
    box.set_hexpand(False)  # what grows is the preview
    named = pickers.Named(config, [row for row in values.choices() if config.find_property(row[0])])
    named.allow("existing-mask", any(layer.get_mask() is not None for layer in chosen))
    named.allow("selection", not Gimp.Selection.is_empty(image))
    box.pack_start(named.widget, False, False, 0)
    box.reorder_child(named.widget, 0)
    more = pickers.Pickers(config, image)
    box.pack_start(more.widget, False, False, 0)
    if config.find_property("fine-tune"):
        box.pack_start(fine.expander(config), False, False, 0)
    if config.find_property("uncertainty"):
        fine.slider(config, "uncertainty", 0, more.widget, more.rows())
        more.widget.show_all()
    side_by_side = window.fill_box("side-by-side", ["settings"])  # unfolded and one below the other: 980 pixels high
    side_by_side.set_orientation(Gtk.Orientation.HORIZONTAL)
    window.fill(["side-by-side"])
    shown = preview.Preview(config, image, chosen, want, lambda: arguments.of(config), ask)
    shown.mended = more.ask_networks
    side_by_side.pack_start(shown.widget, True, True, 0)
    side_by_side.reorder_child(shown.widget, 0)
    parent = side_by_side.get_parent()
    parent.child_set_property(side_by_side, "expand", True)
    parent.child_set_property(side_by_side, "fill", True)
    window.set_resizable(True)
    window.set_default_size(*SIZE)
    window.connect("key-press-event", _helped)
    shown.widget.show_all()
    shown.start()
    try:
        return window.run(), shown.strokes_of
    finally:
        more.stop()
        shown.stop()
        window.destroy()


def _helped(window, event):
    """F1 is the button Help: GIMP 3.2 leaves the key to nobody here."""
    if event.keyval == Gdk.KEY_F1:
        window.response(Gtk.ResponseType.HELP)
        return True
    return False


def title(procedure):
    """The menu label without its mnemonic, which Asian translations put in brackets at the end, and without dots."""
    return re.sub(r"\(_\w\)|_", "", procedure.get_menu_label()).rstrip(".")
