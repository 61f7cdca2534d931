"""Strokes stay with the layer on which they were drawn, from one dialog to the next, as long as the image is open.

They are a parasite of the layer that is neither saved nor a step of undo: after Undo the next dialog still has them, to
be gone on with, and its own buttons take them back. A copy of the layer has a copy of them.
"""

from gi.repository import Gimp
from strokes import Strokes

NAME = "nuggy-strokes"


def strokes(layer):
    """Those of a layer."""
    parasite = layer.get_parasite(NAME)
    text = bytes(parasite.get_data()).rstrip(b"\0").decode("utf-8", "replace") if parasite else ""
    return Strokes.read(text, layer.get_width(), layer.get_height())


def keep(layer, drawn):
    """Keep them for the next dialog."""
    if drawn:
        layer.attach_parasite(Gimp.Parasite.new(NAME, 0, drawn.text().encode()))
    elif layer.get_parasite(NAME):
        layer.detach_parasite(NAME)
