"""The preview: as large as the dialog leaves it, zoomed and panned, with a brush for what is kept and what is dropped.

Of several layers it shows the one that is chosen; strokes belong to the layer they are drawn on. computing.py has what
is shown from the worker.
"""

import canvas
import hand
import kept
import view
from computing import Computing
from gi.repository import Gtk
from words import _

import tools


class Preview:
    """said() gives the settings as fields (arguments.of); ask(how, fields, blobs) begins a question. It lies in a
    dialog, which set-up's window stands before; mended() is called when that has given the filter a Python."""

    def __init__(self, config, image, chosen, want, said, ask):
        self.config, self.image, self.want, self.said, self.ask = config, image, want, said, ask
        self.mended = lambda: None
        self.strokes_of = {layer.get_id(): kept.strokes(layer) for layer in chosen}
        self.photo = self.drawn = self.work = None
        self.picture, self.hand = Gtk.Image(), hand.Hand(self)
        self.text = Gtk.Label(xalign=0.0, selectable=True, wrap=True, max_width_chars=60, lines=3)
        self.mend = Gtk.Button(no_show_all=True, halign=Gtk.Align.START)
        self.mend.connect("clicked", self._mend)
        self.tools = tools.Tools(config, self)
        self._take(chosen[0])
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6, border_width=12)
        if len(chosen) > 1:
            self.widget.pack_start(self._layers(chosen), False, False, 0)
        for w, grows in (
            (self.hand.area(self.picture), True),
            (self.text, False),
            (self.mend, False),
            (self.tools.widget, False),
        ):
            self.widget.pack_start(w, grows, grows, 0)
        self.handler = config.connect("notify", self._changed)

    def start(self):
        """Show the photograph, and compute if wanted; where no Python serves the filter, say so at once."""
        if self.tools.on():
            self.work.begin()
        else:
            self.work.launch()

    def stop(self):
        """Leave the worker to others."""
        self.config.disconnect(self.handler)
        self.work.stop()

    # which layer

    def _layers(self, chosen):
        """The list of layers, where there are several."""
        combo = Gtk.ComboBoxText(tooltip_text=_("The layer that is shown, and painted on"))
        for layer in chosen:
            combo.append_text(layer.get_name())
        combo.set_active(0)
        combo.connect("changed", lambda c: self._other(chosen[c.get_active()]))
        return combo

    def _other(self, layer):
        self.work.stop()
        self._take(layer)
        self.told("")
        self.start()

    def _take(self, layer):
        area = self.work.view.area if self.work else None
        self.view, self.strokes, self.photo = (
            view.View(layer.get_width(), layer.get_height()),
            self.strokes_of[layer.get_id()],
            None,
        )
        if area:
            self.view.resize(*area)
        self.work = Computing(self.image, layer, self.view, self.want, self._job, self.ask, self)

    def _job(self):
        return self.said(), self.strokes.planes() if self.strokes else None

    # what happens

    def _changed(self, config, what):
        if what.name not in ("preview", "width", "height"):
            self.anew()

    def anew(self):
        """A setting or a stroke has changed."""
        self.work.changed(self.tools.on())

    def toggled(self):
        """The preview was switched on or off."""
        self.work.forget()
        self.told("")
        if self.tools.on():
            self.work.begin()
        else:
            self.draw()

    def seen_anew(self):
        """Zoomed, panned or enlarged."""
        self.photo = None
        self.draw()
        if self.tools.on():
            self.work.moved()

    def undo_stroke(self, all=False):
        """Take back the last stroke, or all of them."""
        self.strokes.undo(all)
        self.draw()
        self.anew()

    def told(self, text):
        """What is said under the picture."""
        self.text.set_text(text)

    def unset(self, text, repair):
        """No Python serves the filter: that, with a button that changes it."""
        self.told(text)
        self.mend.set_label(_("Repair...") if repair else _("Set up..."))
        self.mend.repair = repair
        self.mend.show()
        self.mend.grab_focus()  # it is what can be done now

    def _mend(self, button):
        """Set-up's window; afterwards it is tried again."""
        import set_up

        if set_up.run(button.get_toplevel(), button.repair):
            button.hide()
            self.mended()
            self.toggled()

    # what is drawn

    def draw(self):
        """The whole picture."""
        how = self.tools.how()
        pieces = [p for p in (self.work.base, self.work.fine) if p is not None]
        if how == canvas.PHOTO or not pieces or not self.tools.on():
            pieces = [p for p in [self._photo()] if p]
        thin = not self.hand.paints()
        self.drawn = canvas.draw(self.view, how, self.tools.colour(), pieces, self.strokes.lines, thin)
        self.picture.set_from_pixbuf(self.drawn)

    def _photo(self):
        if self.work.source is None:
            return None
        if self.photo is None or self.photo.rect != self.view.rect():
            rect = self.view.rect()
            data, *size = self.work.source.part(rect, *self.view.computed(rect))
            self.photo = canvas.Piece(rect, size, data)
        return self.photo

    def ink(self):
        """The last piece of the stroke that is being drawn."""
        kind, radius, points = self.strokes.lines[-1]
        canvas.line(self.drawn, self.view, self.view.rect(), kind, radius, points[-2:])
        self.picture.set_from_pixbuf(self.drawn)
