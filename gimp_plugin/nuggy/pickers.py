"""The dialog's lists: of named values, and those that are known only when it is open: the image's channels, and the
networks on this machine."""

import layers
import which
from gi.repository import GLib, Gtk
from words import _


class Pickers:
    """A list for each of the configuration's names of channels, and one of networks once the worker has told them."""

    def __init__(self, config, image):
        self.config, self.ping, self.watch, self.lists = config, None, 0, {}
        self.widget = Gtk.Grid(row_spacing=6, column_spacing=6)
        channels = [c.get_name() for c in image.get_channels()]
        for name in ("keep-channel", "drop-channel"):
            given = config.get_property(name) or ""
            if channels or given:
                self._list(name, [("", _("no channel")), *((c, c) for c in channels)])
        self.ask_networks()

    def ask_networks(self):
        """Have the worker tell which networks there are; again, when it has just been set up."""
        self.stop()
        if self.config.find_property("network"):
            try:
                from nuggy_bridge.call import Call

                self.ping = Call(which.launch(), {"do": "ping"})
                self.watch = GLib.timeout_add(200, self._look)
            except (ImportError, layers.Problem):  # the preview says what is wrong
                pass

    def stop(self):
        if self.watch:
            GLib.source_remove(self.watch)
            self.ping.cancel()
            self.watch = 0

    def rows(self):
        """How many there are."""
        return len(self.lists)

    def _look(self):
        while not self.ping.events.empty():
            if self.ping.events.get() is None:
                self.watch = 0
                try:
                    networks = self.ping.result().fields.get("networks", [])
                except Exception:  # the preview says what is wrong
                    return False
                given = self.config.get_property("network") or ""
                if networks or given:
                    said = [(name, f"{name}: {use}") for name, use in networks]
                    self._list("network", [("", _("Nuggy's own")), *said])
                return False
        return True

    def _list(self, name, choices):
        """A row with a list. A value that is not in it any more stays in it, to be seen."""
        value = self.config.get_property(name) or ""
        if value not in dict(choices):
            choices = [*choices, (value, value)]
        combo = self.lists.get(name)
        known = combo is not None
        if known:
            combo.disconnect(combo.chosen)
            combo.remove_all()
        else:
            combo = self.lists[name] = Gtk.ComboBoxText(hexpand=True)
        for key, text in choices:
            combo.append(key, text)
        combo.set_active_id(value)
        combo.chosen = combo.connect("changed", lambda c: self.config.set_property(name, c.get_active_id()))
        if known:
            return
        combo.get_cells()[0].set_property("ellipsize", 3)
        pspec = self.config.find_property(name)
        label = Gtk.Label(label=pspec.get_nick(), xalign=0.0)
        combo.set_tooltip_text(pspec.get_blurb())
        row = self.rows() - 1
        self.widget.attach(label, 0, row, 1, 1)
        self.widget.attach(combo, 1, row, 1, 1)
        self.widget.show_all()


class Named:
    """A list for each of values.choices, which follows the configuration: Reset, saved settings."""

    def __init__(self, config, rows):
        self.config, self.lists = config, {}
        self.widget = Gtk.Grid(row_spacing=2, column_spacing=6)
        for at, (name, text, help, _default, values) in enumerate(rows):
            combo = Gtk.ComboBoxText(hexpand=True)
            for value, label, _of in values:
                combo.append(value, label)
            combo.set_active_id(config.get_property(name))
            combo.set_tooltip_text("\n".join([help, *(f"{label}: {of}" for _value, label, of in values)]))
            combo.connect("changed", self._chosen, name)
            config.connect(f"notify::{name}", self._follow, name)
            label = Gtk.Label(label=text, use_underline=True, mnemonic_widget=combo, xalign=0.0)
            self.widget.attach(label, 0, at, 1, 1)
            self.widget.attach(combo, 1, at, 1, 1)
            self.lists[name] = label, combo
        self.widget.show_all()

    def allow(self, name, means_something):
        for widget in self.lists.get(name, ()):
            widget.set_sensitive(means_something)

    def _chosen(self, combo, name):
        if combo.get_active_id() != self.config.get_property(name):
            self.config.set_property(name, combo.get_active_id())

    def _follow(self, config, _pspec, name):
        self.lists[name][1].set_active_id(config.get_property(name))
