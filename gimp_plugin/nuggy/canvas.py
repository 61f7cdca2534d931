"""What the preview draws: the cut-out over checks or a colour, its mask, or the photograph while there is neither.

GdkPixbuf alone, which comes with every GIMP; cairo's binding for Python does not.
"""

import strokes
from gi.repository import GdkPixbuf, GLib

CHECKS, COLOUR, MASK, PHOTO = "checks", "colour", "mask", "photograph"
LIGHT, DARK, SIDE = 0x999999, 0x666666, 8
SMOOTH, SHARP = GdkPixbuf.InterpType.BILINEAR, GdkPixbuf.InterpType.NEAREST
INK = {strokes.KEEP: 0x30D050FF, strokes.DROP: 0xF03030FF}


class Piece:
    """A part (x, y, width, height) of the layer, as a picture with transparency and as a mask."""

    def __init__(self, rect, size, layer, mask=None):
        self.rect, self.size = rect, size
        self.layer = _pixbuf(layer, True, *size)
        self.mask = None
        if mask is not None:
            grey = bytearray(3 * len(mask))
            grey[0::3] = grey[1::3] = grey[2::3] = mask
            self.mask = _pixbuf(bytes(grey), False, *size)


def draw(view, how, colour, pieces, lines, thin):
    """The view as a picture: pieces one over the other, then lines (of strokes.Strokes), `thin` or as wide as they are.

    colour: 0xRRGGBB. Of a piece without a mask the photograph is shown.
    """
    seen, size = view.rect(), view.shown()
    out = GdkPixbuf.Pixbuf.new(GdkPixbuf.Colorspace.RGB, False, 8, *size)
    out.fill(0x808080FF)
    for piece in pieces:
        _place(out, view, seen, size, piece, how, colour)
    for kind, radius, points in lines:
        line(out, view, seen, kind, max(1.5 / view.zoom, radius / 4) if thin else radius, points)
    return out


def line(out, view, seen, kind, radius, points):
    """Draw a stroke into a picture of the part `seen`."""
    for y, left, right in strokes.rows(points, radius, view.zoom, out.get_width(), out.get_height(), seen[:2]):
        out.new_subpixbuf(left, y, right - left, 1).fill(INK[kind])


def _place(out, view, seen, size, piece, how, colour):
    x, y = ((piece.rect[i] - seen[i]) * view.zoom for i in (0, 1))
    wide, high = (piece.rect[i] * view.zoom for i in (2, 3))
    left, top = max(round(x), 0), max(round(y), 0)
    right, bottom = min(round(x + wide), size[0]), min(round(y + high), size[1])
    if right <= left or bottom <= top:
        return
    scale = wide / piece.size[0], high / piece.size[1]
    area = (left, top, right - left, bottom - top, x, y, *scale)
    kind = SHARP if min(scale) > 1.5 else SMOOTH
    if how == MASK and piece.mask is not None:
        piece.mask.scale(out, *area, kind)
        return
    light, dark = (colour, colour) if how == COLOUR else (LIGHT, DARK)
    piece.layer.composite_color(out, *area, kind, 255, left, top, SIDE, light, dark)


def _pixbuf(data, alpha, width, height):
    rgb = GdkPixbuf.Colorspace.RGB
    row = width * (4 if alpha else 3)
    return GdkPixbuf.Pixbuf.new_from_bytes(GLib.Bytes.new(bytes(data)), rgb, alpha, 8, width, height, row)
