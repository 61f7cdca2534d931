"""The dialog: GIMP's own for a procedure, with the settings that matter, the rest under an expander, and a preview."""

import re

import gi

gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
import arguments  # noqa: E402
import layers  # noqa: E402
import words  # noqa: E402
from gi.repository import GdkPixbuf, GimpUi, GLib, Gtk  # noqa: E402
from words import _  # noqa: E402

SIDE = 400  # pixels of the preview on the screen
COMPUTED = 1024  # pixels of the picture it is computed from: what the network sees of any picture
PAUSE = 250  # milliseconds without a change of a setting, after which the preview is computed anew
LIGHT, DARK = 0x999999, 0x666666


def run(procedure, config, image, layer, ask, launch):
    """Show the dialog. Whether OK was pressed. ask(how, want, source, config) begins a Call."""
    GimpUi.init("nuggy")
    window = GimpUi.ProcedureDialog.new(procedure, config, title(procedure))
    top = ["recipe", "keep", "existing-mask"]
    if config.find_property("hide-original"):
        top += ["foreground", "hide-original"]
    digits = {row["argument"]: row["digits"] for row in arguments.FINE}
    fine = list(digits)
    for name in fine:
        window.get_scale_entry(name, 1.0).set_digits(digits[name])
        window.set_sensitive(name, True, config, "fine-tune", False)
    window.get_label("fine-title", _("Fine tuning"), False, False)
    window.fill_box("fine-box", ["fine-tune", *fine])
    window.fill_expander("fine", "fine-title", False, "fine-box").set_resize_toplevel(False)  # there is room beside
    window.fill_box("settings", [*top, "fine"]).set_size_request(SIDE, -1)  # sliders long enough to drag
    side_by_side = window.fill_box("side-by-side", ["settings"])  # unfolded and one below the other: 980 pixels high
    side_by_side.set_orientation(Gtk.Orientation.HORIZONTAL)
    window.fill(["side-by-side"])
    preview = Preview(config, image, layer, ask, launch)
    side_by_side.pack_start(preview.widget, True, True, 0)
    side_by_side.reorder_child(preview.widget, 0)
    preview.widget.show_all()
    preview.start()
    try:
        return window.run()
    finally:
        preview.stop()
        window.destroy()


def title(procedure):
    """The menu label without its mnemonic, which Asian translations put in brackets at the end, and without dots."""
    return re.sub(r"\(_\w\)|_", "", procedure.get_menu_label()).rstrip(".")


class Preview:
    """The cut-out or its mask, computed from a small copy of the layer whenever a setting has changed."""

    def __init__(self, config, image, layer, ask, launch):
        self.config, self.image, self.layer = config, image, layer
        self.ask, self.launch = ask, launch
        self.call = self.pictures = self.source = self.existing = None
        self.pause = self.watch = 0
        self.picture = Gtk.Image()
        self.picture.set_size_request(SIDE, SIDE * 3 // 4)
        self.words = Gtk.Label(xalign=0.0, selectable=True, wrap=True, max_width_chars=56, lines=6)
        self.shown = Gtk.CheckButton.new_with_mnemonic(_("Pre_view"))
        self.as_mask = Gtk.CheckButton.new_with_label(_("As mask"))
        self.shown.set_active(config.get_property("preview"))
        self.shown.connect("toggled", self._toggled)
        self.as_mask.connect("toggled", lambda *_a: self._draw())
        row = Gtk.Box(spacing=12)
        for w in (self.shown, self.as_mask):
            row.pack_start(w, False, False, 0)
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6, border_width=12)
        for w, grows in ((self.picture, True), (self.words, False), (row, False)):
            self.widget.pack_start(w, grows, grows, 0)
        self.handler = config.connect("notify", self._changed)

    def start(self):
        if self.shown.get_active():
            self._begin()

    def stop(self):
        self.config.disconnect(self.handler)
        self._cancel()

    def _cancel(self):
        for name in ("pause", "watch"):
            if getattr(self, name):
                GLib.source_remove(getattr(self, name))
                setattr(self, name, 0)
        if self.call:
            self.call.cancel()
            self.call = None

    def _toggled(self, button):
        self.config.set_property("preview", button.get_active())
        if not button.get_active():
            self._cancel()
            self.pictures = None
            self.picture.clear()
            self.words.set_text("")

    def _changed(self, config, what):
        self._cancel()
        if self.shown.get_active():
            self.pause = GLib.timeout_add(PAUSE, self._begin)

    def _begin(self):
        self.pause = 0
        try:
            existing = self.config.get_property("existing-mask")
            if self.source is None or self.existing != existing:
                self.source = layers.read(self.image, self.layer, "preview", existing, COMPUTED)
                self.existing = existing
            self.call = self.ask(self.launch(), "preview", self.source, self.config)
        except layers.Problem as e:
            self.words.set_text(str(e))
            return False
        self.words.set_text(words.stage("start"))
        self.watch = GLib.timeout_add(100, self._look)
        return False

    def _look(self):
        """Called now and then while a preview is computed; GTK is touched on this thread only."""
        while not self.call.events.empty():
            event = self.call.events.get()
            if event is not None:
                self.words.set_text(words.stage(event[0]))
                continue
            try:
                blobs = self.call.result().blobs
                self.pictures = bytes(blobs["layer"]), bytes(blobs["mask"])
                self.words.set_text("")
                self._draw()
            except Exception as e:  # the worker's failure; OK meets it again and says it in full
                self.words.set_text(words.failure(e, "") if hasattr(e, "kind") else str(e))
            self.call, self.watch = None, 0
            return False
        return True

    def _draw(self):
        if self.pictures is None:
            return
        fields, _blobs = self.source
        width, height = fields["width"], fields["height"]
        cut, mask = self.pictures
        if self.as_mask.get_active():
            grey = bytearray(3 * len(mask))
            grey[0::3] = grey[1::3] = grey[2::3] = mask
            pixels = _pixbuf(bytes(grey), False, width, height)
        else:
            pixels = _pixbuf(cut, True, width, height)
        share = min(SIDE / width, SIDE / height, 4.0)
        size = max(round(width * share), 1), max(round(height * share), 1)
        smooth = GdkPixbuf.InterpType.BILINEAR
        self.picture.set_from_pixbuf(pixels.composite_color_simple(*size, smooth, 255, 8, LIGHT, DARK))


def _pixbuf(data, alpha, width, height):
    rgb = GdkPixbuf.Colorspace.RGB
    return GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(data), rgb, alpha, 8, width, height, width * (4 if alpha else 3)
    )
