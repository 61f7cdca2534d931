"""What the preview shows of a layer, computed by the worker for the settings and strokes of the moment.

After a change the network's answer, which the worker keeps, gives a first look of a smaller copy at once, and then the
very mask that OK writes, of the part that is looked at.
"""

import canvas
import layers
import source
import which
import words
from gi.repository import GLib

COPY = 1024  # pixels of the first look's longer side: what the worker computes it from
PAUSE = 250  # milliseconds without a change of a setting, after which it is computed anew
MOVED = 80  # the same for zooming and panning


class Computing:
    """Of one layer. job: (said, marks) of the moment, as source.Source.job takes them; ask(how, fields, blobs) begins a
    question. heard is called as heard.told(text), heard.unset(text, repair) where no Python serves the filter, and
    heard.draw() when there is something new."""

    def __init__(self, image, layer, view, want, job, ask, heard):
        self.image, self.layer, self.view, self.want = image, layer, view, want
        self.job, self.ask, self.heard = job, ask, heard
        self.source = self.call = self.base = self.fine = None
        self.pause = self.watch = 0
        self.asked = None  # the rect that is computed, whether exactly, and its size

    def stop(self):
        """Leave the worker to others."""
        self.cancel()
        if self.source:
            self.source.close()
            self.source = None

    def cancel(self):
        """What is under way is not wanted any more."""
        for name in ("pause", "watch"):
            if getattr(self, name):
                GLib.source_remove(getattr(self, name))
                setattr(self, name, 0)
        if self.call:
            self.call.cancel()
            self.call = None

    def forget(self):
        """Nothing is shown of what was computed."""
        self.cancel()
        self.base = self.fine = None

    def changed(self, computes):
        """A setting or a stroke has: it is computed when the hand rests."""
        self.cancel()
        self.fine = None
        if computes:
            self.pause = GLib.timeout_add(PAUSE, self.begin)

    def moved(self):
        """Another part is looked at: that is computed when the hand rests."""
        if self.base and (self.call is None or self.asked[1]):
            self.cancel()
            self.pause = GLib.timeout_add(MOVED, self._exact)

    def begin(self):
        """The first look, of the whole layer."""
        self.pause = 0
        if self.source is None:
            try:
                self.source = source.Source(self.image, self.layer, self.want)
            except layers.Problem as e:
                self.heard.told(str(e))
                return False
            self.heard.draw()
        width, height = self.view.layer
        scale = min(COPY / max(width, height), 1.0)
        return self._ask((0, 0, width, height), (max(round(width * scale), 1), max(round(height * scale), 1)), False)

    def launch(self):
        """How the worker is started; None, and that is told, where no Python serves the filter."""
        try:
            return which.launch()
        except which.Unset as e:
            self.heard.unset(str(e), bool(e.gone))
        except layers.Problem as e:
            self.heard.told(str(e))
        return None

    def _exact(self):
        """The part that is looked at, of the very mask."""
        self.pause = 0
        rect = self.view.rect()
        return self._ask(rect, self.view.computed(rect), True)

    def _ask(self, rect, size, exact):
        self.asked = rect, exact, size
        try:
            how = self.launch()
            if how is None:
                return False
            fields, blobs = self.source.job(*self.job())
            fields |= {"want": "preview", "view": list(rect), "shown": list(size), "exact": exact}
            self.call = self.ask(how, fields, blobs)
        except layers.Problem as e:
            self.heard.told(str(e))
            return False
        self.watch = GLib.timeout_add(50, self._look)
        return False

    def _look(self):
        """Called now and then while a preview is computed; GTK is touched on this thread only."""
        while not self.call.events.empty():
            event = self.call.events.get()
            if event is not None:
                if event[0] not in ("done", "write", "read"):
                    self.heard.told(words.stage_with_share(*event))
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
                self.heard.unset(text, True)
            else:
                self.heard.told(text)
            return
        piece = canvas.Piece(rect, size, answer.blobs["layer"], answer.blobs["mask"])
        found = answer.fields.get("found", True)
        self.heard.told("" if found else words.nothing(self.layer.get_name()))
        if exact:
            self.fine = piece
        else:
            self.base = piece
        self.heard.draw()
        if not exact:
            self._exact()
