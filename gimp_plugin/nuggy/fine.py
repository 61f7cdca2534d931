"""The numbers behind the recipe as sliders, folded away.

Widgets of our own, not GIMP's for an argument: the arguments take any number, so that a script's wrong one reaches
values.wrong and is told, where GIMP would keep the default and say nothing. And of GIMP's own widgets GIMP asks for
a mnemonic each on the console; there are more sliders than free letters.
"""

from gi.repository import GObject, Gtk
from values import FINE, RANGES, keep_apart
from words import _

LEAST, MOST = 200, 400  # pixels of their height: unfolded, the dialog fits on a screen of 768
BOTH_WAYS = GObject.BindingFlags.BIDIRECTIONAL | GObject.BindingFlags.SYNC_CREATE


def expander(config):
    """All of values.FINE, of use while "fine-tune" is on."""
    rows = Gtk.Grid(row_spacing=2, column_spacing=6)
    for at, row in enumerate(FINE):
        slider(config, row["argument"], row["digits"], rows, at)
    on = Gtk.CheckButton.new_with_mnemonic(config.find_property("fine-tune").get_nick())
    on.set_tooltip_text(config.find_property("fine-tune").get_blurb())
    config.bind_property("fine-tune", on, "active", BOTH_WAYS)
    config.bind_property("fine-tune", rows, "sensitive", GObject.BindingFlags.SYNC_CREATE)
    for name in ("black", "white"):
        config.connect(f"notify::{name}", lambda c, p: keep_apart(c, p.name))
    box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6, border_width=6)
    box.pack_start(on, False, False, 0)
    scrolled = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER, propagate_natural_height=True)
    scrolled.set_min_content_height(LEAST)
    scrolled.set_max_content_height(MOST)
    scrolled.add(rows)
    box.pack_start(scrolled, False, False, 0)
    folded = Gtk.Expander(label=_("Fine tuning"))
    folded.add(box)
    folded.show_all()
    return folded


def slider(config, name, digits, grid, at):
    """A label, a scale and a number for an argument, in a row of a grid."""
    of, pspec = RANGES[name], config.find_property(name)
    step = max(10.0**-digits, (of.maximum - of.minimum) / 1000)
    fit = Gtk.Adjustment(lower=of.minimum, upper=of.maximum, step_increment=step, page_increment=10 * step)
    number = Gtk.SpinButton(adjustment=fit, digits=digits)
    scale = Gtk.Scale(adjustment=fit, draw_value=False, hexpand=True)
    label = Gtk.Label(label=pspec.get_nick(), use_underline=True, mnemonic_widget=number, xalign=0)
    config.bind_property(name, fit, "value", BOTH_WAYS)
    for widget in (scale, number):  # the wheel moves the list of sliders, not what happens to lie under the mouse
        widget.connect("scroll-event", lambda w, _event: w.stop_emission_by_name("scroll-event"))
    for column, widget in enumerate((label, scale, number)):
        widget.set_tooltip_text(pspec.get_blurb())
        grid.attach(widget, column, at, 1, 1)
