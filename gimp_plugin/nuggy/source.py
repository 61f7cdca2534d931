"""A layer and what lies over it as bytes: its pixels as they are shown, mask, selection, channels."""

import hashlib

import layers
import shown
from gi.repository import Gegl, Gimp
from strokes import DROP, KEEP, marks_size
from words import _

ABYSS = Gegl.AbyssPolicy.NONE  # outside a buffer: 0, so outside the image nothing is selected


class Source:
    """A layer as it is shown, for jobs: its pixels as bytes with their name, and what lies over it.

    want: as in the protocol; it says in which samples the pixels are read. Non-destructive filters, and what a
    pass-through group is blended with, are part of what is seen: the pixels are then of a copy (shown.py).
    """

    def __init__(self, image, layer, want):
        self.image, self.layer = image, layer
        self.width, self.height = layer.get_width(), layer.get_height()
        depth, self.mask_depth = layers.depths(image)
        depth = "float" if want == "layer" else depth  # exact there and back, colours outside sRGB too
        channels = (1 if layer.is_gray() else 3) + layer.has_alpha()
        self.form = {1: "Y'", 2: "Y'A", 3: "R'G'B'", 4: "R'G'B'A"}[channels]  # the layer's own: any other is slow
        self._copy = shown.shown(image, layer)
        self.buffer = (self._copy[1] if self._copy else layer).get_buffer()
        pixels = self.buffer.get(self.rect(), 1.0, f"{self.form} {depth}", ABYSS)
        if shown.blends(layer):  # opaque, for what lies below is in it
            own = layer.get_buffer().get(self.rect(), 1.0, f"{self.form} {depth}", ABYSS)
            pixels = _with_opacity(pixels, own, channels, layers.BYTES[depth])
        self.fields = {"width": self.width, "height": self.height, "channels": channels, "depth": depth,
                       "mask_depth": self.mask_depth, "key": hashlib.sha256(pixels).hexdigest()}  # fmt: skip
        self.pixels = pixels

    def close(self):
        """Take the copy away, if one was made."""
        if self._copy:
            self._copy[0].delete()
        self._copy = self.buffer = None

    def rect(self):
        return Gegl.Rectangle.new(0, 0, self.width, self.height)

    def part(self, view, width, height):
        """A part (x, y, width, height) of what is shown, as R'G'B'A bytes of the size asked for or a little less, and
        that size."""
        scale = min(width / view[2], height / view[3], 1.0)
        width, height = max(int(view[2] * scale), 1), max(int(view[3] * scale), 1)
        rect = Gegl.Rectangle.new(int(view[0] * scale), int(view[1] * scale), width, height)
        return self.buffer.get(rect, scale, "R'G'B'A u8", Gegl.AbyssPolicy.CLAMP), width, height

    def job(self, said, marks=None):
        """(fields of a job, blobs). said: fields that the settings give (arguments.of), with the names of channels.
        marks: ((width, height), {"keep" or "drop": bytes}) that were drawn on this layer."""
        said = dict(said)
        fields, blobs = dict(self.fields), {"pixels": self.pixels}
        selected = not Gimp.Selection.is_empty(self.image)
        mask = self.layer.get_mask()
        refines = said["start"] == "mask"
        if refines:
            layers.check_masks([self.layer])
        if mask is not None and (refines or selected or said["existing"] != "replace"):  # "Y", linear: "Y'" bends it
            blobs["mask"] = mask.get_buffer().get(self.rect(), 1.0, f"Y {self.mask_depth}", ABYSS)
            fields["has_mask"] = True
        _ok, x, y = self.layer.get_offsets()
        if selected:
            over = Gegl.Rectangle.new(x, y, self.width, self.height)
            blobs["selection"] = self.image.get_selection().get_buffer().get(over, 1.0, "Y u8", ABYSS)
            fields["has_selection"] = True
        size, planes = marks or (marks_size(self.width, self.height), {})
        for name in (KEEP, DROP):
            channel = said.pop(f"{name}_channel", "")
            plane = self._channel(channel, x, y, size) if channel else None
            plane = _lighter(plane, planes.get(name))
            if plane:
                blobs[name], fields[f"has_{name}"], fields["marks"] = plane, True, list(size)
        if "keep" in blobs and "drop" in blobs:
            blobs["drop"] = bytes(0 if k > 127 else d for k, d in zip(blobs["keep"], blobs["drop"]))
        order = [n for n in ("pixels", "mask", "selection", KEEP, DROP) if n in blobs]
        return fields | said, {n: blobs[n] for n in order}

    def _channel(self, name, x, y, size):
        """A channel's values over the layer; bytes of that size."""
        channel = next((c for c in self.image.get_channels() if c.get_name() == name), None)
        if channel is None:
            raise layers.Problem(_("The image has no channel “{0}”.").format(name))
        scale = size[0] / self.width
        over = Gegl.Rectangle.new(int(x * scale), int(y * scale), *size)
        return bytes(channel.get_buffer().get(over, scale, "Y u8", ABYSS))


def _with_opacity(pixels, own, channels, size):
    """Pixels with the opacity, the last of so many channels of that many bytes, of others."""
    out = bytearray(pixels)
    for i in range((channels - 1) * size, channels * size):
        out[i :: channels * size] = own[i :: channels * size]
    return bytes(out)


def _lighter(one, other):
    """Of two planes, each bytes or None, the lighter of each pixel; None if it is black."""
    both = one if other is None else other if one is None else bytes(map(max, one, other))
    return both if both and any(both) else None
