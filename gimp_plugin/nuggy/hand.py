"""The mouse over the preview: the wheel zooms, dragging pans or paints, and the window's size is the view's."""

from gi.repository import Gdk, GLib, Gtk

WIDE, HIGH = 480, 360  # pixels of the screen at the least


class Hand:
    """Changes preview.view and preview.strokes; calls preview.seen_anew, ink, draw and anew."""

    def __init__(self, preview):
        self.preview = preview
        self.held = None  # ("pan" or "brush", x, y) while a button is down

    def paints(self):
        return self.held is not None and self.held[0] == "brush"

    def area(self, picture):
        """Where the picture is, without bars and without asking for its size."""
        events = Gtk.EventBox()
        mask = Gdk.EventMask
        events.add_events(
            mask.SCROLL_MASK | mask.BUTTON_PRESS_MASK | mask.BUTTON_RELEASE_MASK | mask.BUTTON_MOTION_MASK
        )
        events.add(picture)
        events.connect("scroll-event", self._scrolled)
        events.connect("button-press-event", self._pressed)
        events.connect("motion-notify-event", self._moved)
        events.connect("button-release-event", self._released)
        window = Gtk.ScrolledWindow(shadow_type=Gtk.ShadowType.IN)
        window.set_policy(Gtk.PolicyType.EXTERNAL, Gtk.PolicyType.EXTERNAL)
        window.set_size_request(WIDE, HIGH)
        window.add(events)
        window.connect("size-allocate", self._sized)
        return window

    def _sized(self, _window, box):
        size = max(box.width - 2, 16), max(box.height - 2, 16)
        if size != self.preview.view.area:
            self.preview.view.resize(*size)
            GLib.idle_add(lambda: self.preview.seen_anew())

    def _scrolled(self, _box, event):
        up, down = Gdk.ScrollDirection.UP, Gdk.ScrollDirection.DOWN
        if event.direction in (up, down):
            self.preview.view.step(event.direction == up, (event.x, event.y))
            self.preview.seen_anew()
        return True

    def _pressed(self, _box, event):
        brush, view = self.preview.tools.brush(), self.preview.view
        if event.button == 1 and brush:
            kind, radius = brush
            self.held = "brush", event.x, event.y
            self.preview.strokes.begin(kind, radius / view.zoom, *view.to_layer(event.x, event.y))
            self.preview.ink()
        elif event.button in (1, 2):
            self.held = "pan", event.x, event.y
        return True

    def _moved(self, _box, event):
        if self.held is None:
            return False
        how, x, y = self.held
        self.held = how, event.x, event.y
        if how == "pan":
            self.preview.view.pan(event.x - x, event.y - y)
            self.preview.seen_anew()
        else:
            self.preview.strokes.go_on(*self.preview.view.to_layer(event.x, event.y))
            self.preview.ink()
        return True

    def _released(self, _box, _event):
        paints, self.held = self.paints(), None
        if paints:
            self.preview.draw()
            self.preview.anew()
        return True
