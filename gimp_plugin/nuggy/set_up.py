"""The window that gives this plug-in a Python: makes one, or takes one that the user names. On a click alone."""

import nuggy_bridge
import which
import words
from gi.repository import GLib, Gtk
from nuggy_bridge import bases, find, make
from words import _

TICK = 100  # milliseconds between two looks at what happens
WIDE, HIGH = 560, 200  # pixels: the window's text, the log


def run(parent, repair):
    """Show it: whether a Python serves the plug-in now. repair: one did, and does not work."""
    return _Window(parent, repair).run()


class _Window:
    def __init__(self, parent, repair):
        self.around = find.Surroundings.here()
        self.work, self.watch, self.last = None, 0, ""
        self.done = False
        self.window = Gtk.Dialog(title=_("Set Up Nuggy"), transient_for=parent, modal=True)
        self.window.add_button(GLib.dgettext("gtk30", "_Cancel"), Gtk.ResponseType.CANCEL)
        self.go = self.window.add_button(_("Repair") if repair else _("Set up"), Gtk.ResponseType.APPLY)
        box = self.window.get_content_area()
        box.set_border_width(12)
        box.set_spacing(8)
        size = 4 if bases.nvidia(self.around) else 1
        self.make = Gtk.RadioButton.new_with_label(None, words.make_one(self.around.own_python(), size))
        self.make.get_child().set_line_wrap(True)
        self.make.get_child().set_max_width_chars(70)
        self.take = Gtk.RadioButton.new_with_label_from_widget(self.make, _("Use a Python that has Nuggy:"))
        self.python = Gtk.FileChooserButton(title=_("Choose a Python"), action=Gtk.FileChooserAction.OPEN)
        self.python.connect("file-set", lambda _b: self.take.set_active(True))
        self.said = _label("")
        self.bar = Gtk.ProgressBar(no_show_all=True)
        self.log = Gtk.TextView(editable=False, monospace=True, cursor_visible=False)
        scrolled = Gtk.ScrolledWindow(shadow_type=Gtk.ShadowType.IN)
        scrolled.set_size_request(WIDE, HIGH)
        scrolled.add(self.log)
        self.more = Gtk.Expander(label=_("Log"))
        self.more.add(scrolled)
        first = _("Nuggy works in a Python of its own, beside GIMP. Nothing is downloaded before you say so.")
        for w in (_label(first), self.make, self.take, self.python, self.bar, self.said):  # fmt: skip
            box.pack_start(w, False, False, 0)
        box.pack_start(self.more, True, True, 0)
        self.window.show_all()
        self.go.grab_focus()

    def run(self):
        try:
            while self.window.run() == Gtk.ResponseType.APPLY:
                self._begin()
            return self.done
        finally:
            if self.watch:
                GLib.source_remove(self.watch)
                self.work.cancel()
                self.work.wait()
            self.window.destroy()

    def _begin(self):
        if self.make.get_active():
            self.work = make.Making(nuggy_bridge.__version__, self.around)
        elif self.python.get_filename():
            self.work = make.Trying(self.python.get_filename())
        else:
            return
        for w in (self.go, self.make, self.take, self.python):
            w.set_sensitive(False)
        self.said.set_text("")
        self.bar.show()
        self.more.set_expanded(True)
        self.watch = GLib.timeout_add(TICK, self._look)

    def _look(self):
        while not self.work.events.empty():
            event = self.work.events.get()
            if event is None:
                self.watch = 0
                self._end()
                return False
            kind, text = event
            if kind == "step":
                self.bar.set_fraction(make.STEPS.index(text) / len(make.STEPS))
                self.said.set_text(words.STEPS[text]())
            else:
                self._line(text)
        return True

    def _line(self, text):
        buffer = self.log.get_buffer()
        buffer.insert(buffer.get_end_iter(), text + "\n")
        self.log.scroll_to_mark(buffer.create_mark(None, buffer.get_end_iter(), False), 0, False, 0, 0)

    def _end(self):
        try:
            which.keep(self.work.result())
        except make.MakeError as e:
            self._line(str(e))
            self.said.set_text(words.not_made(e))
            self.bar.hide()
            for w in (self.go, self.make, self.take, self.python):
                w.set_sensitive(True)
            return
        self.done = True
        self.window.response(Gtk.ResponseType.OK)


def _label(text):
    return Gtk.Label(label=text, xalign=0.0, wrap=True, max_width_chars=70, selectable=True)
