"""The preview: as large as the dialog leaves it, zoomed and panned, with a brush for what is kept and what is dropped.

After a change the network's answer, which the worker keeps, gives a first look of a smaller copy at once, and then the
very mask that OK writes, of the part that is looked at.
"""

import canvas
import hand
import layers
import source
import strokes
import view
import which
import words
from gi.repository import GLib, Gtk
from words import _

import tools

COPY = 1024  # pixels of the first look's longer side: what the worker computes it from
PAUSE = 250  # milliseconds without a change of a setting, after which the preview is computed anew
MOVED = 80  # the same for zooming and panning


class Preview:
    """ask(how, fields, blobs) begins a question. It lies in a dialog, which set-up's window stands before."""

    def __init__(self, config, image, layer, want, said, ask):
        self.config, self.image, self.layer, self.want = config, image, layer, want
        self.said, self.ask = said, ask
        self.source = self.call = self.base = self.fine = self.photo = None
        self.pause = self.watch = 0
        self.asked = None  # the rect that is computed, and whether exactly
        self.view = view.View(layer.get_width(), layer.get_height())
        self.strokes = strokes.Strokes(layer.get_width(), layer.get_height())
        self.picture, self.drawn, self.hand = Gtk.Image(), None, hand.Hand(self)
        self.words = Gtk.Label(xalign=0.0, selectable=True, wrap=True, max_width_chars=60, lines=3)
        self.mend = Gtk.Button(no_show_all=True, halign=Gtk.Align.START)
        self.mend.connect("clicked", self._mend)
        self.tools = tools.Tools(config, self)
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6, border_width=12)
        for w, grows in (
            (self.hand.area(self.picture), True),
            (self.words, False),
            (self.mend, False),
            (self.tools.widget, False),
        ):
            self.widget.pack_start(w, grows, grows, 0)
        self.handler = config.connect("notify", self._changed)

    def start(self):
        """Show the photograph, and compute if wanted; where no Python serves the filter, say so at once."""
        if self.tools.on():
            self._begin()
        else:
            self._launch()

    def stop(self):
        """Leave the worker to others."""
        self.config.disconnect(self.handler)
        self._cancel()
        if self.source:
            self.source.close()

    def marks(self):
        """The strokes, as source.Source.job takes them."""
        return self.strokes.planes() if self.strokes else None

    # what is computed

    def _cancel(self):
        for name in ("pause", "watch"):
            if getattr(self, name):
                GLib.source_remove(getattr(self, name))
                setattr(self, name, 0)
        if self.call:
            self.call.cancel()
            self.call = None

    def _changed(self, config, what):
        if what.name not in ("preview", "width", "height"):
            self.anew()

    def anew(self):
        """A setting or a stroke has changed."""
        self._cancel()
        self.fine = None
        if self.tools.on():
            self.pause = GLib.timeout_add(PAUSE, self._begin)

    def toggled(self):
        """The preview was switched on or off."""
        self._cancel()
        self.base = self.fine = None
        self.words.set_text("")
        if self.tools.on():
            self._begin()
        else:
            self.draw()

    def seen_anew(self):
        """Zoomed, panned or enlarged: the part that is looked at is computed when the hand rests."""
        self.photo = None
        self.draw()
        if self.tools.on() and self.base and (self.call is None or self.asked[1]):
            self._cancel()
            self.pause = GLib.timeout_add(MOVED, self._exact)

    def _begin(self):
        """The first look, of the whole layer."""
        self.pause = 0
        if self.source is None:
            try:
                self.source = source.Source(self.image, self.layer, self.want)
            except layers.Problem as e:
                self.words.set_text(str(e))
                return False
            self.draw()
        width, height = self.view.layer
        scale = min(COPY / max(width, height), 1.0)
        return self._ask((0, 0, width, height), (max(round(width * scale), 1), max(round(height * scale), 1)), False)

    def _exact(self):
        """The part that is looked at, of the very mask."""
        self.pause = 0
        rect = self.view.rect()
        return self._ask(rect, self.view.computed(rect), True)

    def _ask(self, rect, size, exact):
        self.asked = rect, exact, size
        try:
            how = self._launch()
            if how is None:
                return False
            fields, blobs = self.source.job(self.said(), self.marks())
            fields |= {"want": "preview", "view": list(rect), "shown": list(size), "exact": exact}
            self.call = self.ask(how, fields, blobs)
        except layers.Problem as e:
            self.words.set_text(str(e))
            return False
        self.watch = GLib.timeout_add(50, self._look)
        return False

    def _launch(self):
        """How the worker is started; None, with a button that changes it, where no Python serves the filter."""
        try:
            return which.launch()
        except which.Unset as e:
            self._broken(str(e), bool(e.gone))
        except layers.Problem as e:
            self.words.set_text(str(e))
        return None

    def _broken(self, text, repair):
        self.words.set_text(text)
        self.mend.set_label(_("Repair...") if repair else _("Set up..."))
        self.mend.repair = repair
        self.mend.show()
        self.mend.grab_focus()  # it is what can be done now

    def _mend(self, button):
        """Set-up's window; afterwards it is tried again."""
        import set_up

        if set_up.run(button.get_toplevel(), button.repair):
            button.hide()
            self.toggled()

    def _look(self):
        """Called now and then while a preview is computed; GTK is touched on this thread only."""
        while not self.call.events.empty():
            event = self.call.events.get()
            if event is not None:
                if event[0] not in ("done", "write", "read"):
                    self.words.set_text(words.stage_with_share(*event))
                continue
            if self.call.again():
                continue
            self._done(self.call)
            return False
        return True

    def _done(self, call):
        self.call, self.watch = None, 0
        rect, exact, size = self.asked
        try:
            answer = call.result()
        except Exception as e:  # the worker's failure; OK meets it again and says it in full
            text = words.failure(e, which.HERE) if hasattr(e, "kind") else str(e)
            if getattr(e, "kind", "") == "start":
                self._broken(text, True)
            else:
                self.words.set_text(text)
            return
        piece = canvas.Piece(rect, size, answer.blobs["layer"], answer.blobs["mask"])
        found = answer.fields.get("found", True)
        self.words.set_text("" if found else words.nothing(self.layer.get_name()))
        if exact:
            self.fine = piece
        else:
            self.base = piece
        self.draw()
        if not exact:
            self._exact()

    # what is drawn

    def draw(self):
        """The whole picture."""
        how = self.tools.how()
        pieces = [p for p in (self.base, self.fine) if p is not None]
        if how == canvas.PHOTO or not pieces or not self.tools.on():
            pieces = [p for p in [self._photo()] if p]
        thin = not self.hand.paints()
        self.drawn = canvas.draw(self.view, how, self.tools.colour(), pieces, self.strokes.lines, thin)
        self.picture.set_from_pixbuf(self.drawn)

    def _photo(self):
        if self.source is None:
            return None
        if self.photo is None or self.photo.rect != self.view.rect():
            rect = self.view.rect()
            data, *size = self.source.part(rect, *self.view.computed(rect))
            self.photo = canvas.Piece(rect, size, data)
        return self.photo

    def ink(self):
        """The last piece of the stroke that is being drawn."""
        kind, radius, points = self.strokes.lines[-1]
        canvas.line(self.drawn, self.view, self.view.rect(), kind, radius, points[-2:])
        self.picture.set_from_pixbuf(self.drawn)

    def undo_stroke(self):
        self.strokes.undo()
        self.draw()
        self.anew()
