"""The rows of controls under the preview: what it is shown over, zoom, and the brushes."""

import canvas
import strokes
from gi.repository import Gdk, Gtk
from words import _

BRUSH = (2, 12, 120)  # pixels of the screen across: least, first, most


class Tools:
    """Calls preview.draw, seen_anew, toggled and undo_stroke."""

    def __init__(self, config, preview):
        self.config, self.preview = config, preview
        self.shown = Gtk.CheckButton.new_with_mnemonic(_("Pre_view"))
        self.shown.set_active(config.get_property("preview"))
        self.shown.connect("toggled", self._toggled)
        self.over = Gtk.ComboBoxText()
        for name, text in ((canvas.CHECKS, _("over checks")), (canvas.COLOUR, _("over a colour")),
                           (canvas.MASK, _("as mask")), (canvas.PHOTO, _("the layer itself"))):  # fmt: skip
            self.over.append(name, text)
        self.over.set_active_id(canvas.CHECKS)
        self.over.connect("changed", self._over_changed)
        self.picked = Gtk.ColorButton.new_with_rgba(Gdk.RGBA(1, 1, 1, 1))
        self.picked.set_no_show_all(True)
        self.picked.connect("color-set", lambda _b: preview.draw())
        first = [self.shown, self.over, self.picked]
        last = [self._button("1:1", _("One pixel of the layer on one of the screen"), lambda v: v.zoom_to(1.0)),
                self._button(_("Whole"), _("The whole layer"), lambda v: v.fit()),
                self._button("+", _("Closer; the mouse's wheel does it too"), lambda v: v.step(True)),
                self._button("−", _("Farther; the mouse's wheel does it too"), lambda v: v.step(False))]  # fmt: skip
        hand = Gtk.RadioButton.new_with_label(None, _("Move"))
        self.brushes = {None: hand}
        for kind, text, help in (
            (strokes.KEEP, _("Keep"), _("Paint over what belongs to the subject and was not found")),
            (strokes.DROP, _("Drop"), _("Paint over what does not belong to the subject")),
        ):
            self.brushes[kind] = Gtk.RadioButton.new_with_label_from_widget(hand, text)
            self.brushes[kind].set_tooltip_text(help)
        hand.set_tooltip_text(_("Drag to see another part"))
        for button in self.brushes.values():
            button.set_mode(False)  # as buttons that stay down
        self.size = Gtk.SpinButton.new_with_range(BRUSH[0], BRUSH[2], 1)
        self.size.set_value(BRUSH[1])
        self.size.set_tooltip_text(_("The brush, in pixels of the screen"))
        back = Gtk.Button.new_with_label(_("Take back"))
        back.set_tooltip_text(_("Take back the last stroke"))
        back.connect("clicked", lambda _b: preview.undo_stroke())
        clear = Gtk.Button.new_with_label(_("Clear"))
        clear.set_tooltip_text(_("Take back all strokes on this layer"))
        clear.connect("clicked", lambda _b: preview.undo_stroke(all=True))
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self.widget.pack_start(_row(first, last), False, False, 0)
        self.widget.pack_start(_row([*self.brushes.values(), self.size, back, clear], []), False, False, 0)

    def on(self):
        return self.shown.get_active()

    def how(self):
        return self.over.get_active_id()

    def colour(self):
        c = self.picked.get_rgba()
        return sum(round(v * 255) << at for v, at in ((c.red, 16), (c.green, 8), (c.blue, 0)))

    def brush(self):
        """(kind, radius in pixels of the screen), None while the hand moves the picture."""
        kind = next(k for k, b in self.brushes.items() if b.get_active())
        return (kind, self.size.get_value() / 2) if kind else None

    def _button(self, label, text, act):
        button = Gtk.Button.new_with_label(label)
        button.set_tooltip_text(text)

        def clicked(_button):
            act(self.preview.view)
            self.preview.seen_anew()

        button.connect("clicked", clicked)
        return button

    def _toggled(self, button):
        self.config.set_property("preview", button.get_active())
        self.preview.toggled()

    def _over_changed(self, combo):
        self.picked.set_visible(combo.get_active_id() == canvas.COLOUR)
        self.preview.draw()


def _row(first, last):
    row = Gtk.Box(spacing=6)
    for w in first:
        row.pack_start(w, False, False, 0)
    for w in last:
        row.pack_end(w, False, False, 0)
    return row
