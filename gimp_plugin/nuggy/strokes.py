"""Strokes over what is kept and what is dropped, drawn in the preview: as lines, and as the planes that are sent.

Plain bytes, so that no drawing library is needed that a GIMP may lack.
"""

LONGEST = 2048  # pixels of a plane's side
KEEP, DROP = "keep", "drop"


class Strokes:
    """On a layer of width x height pixels."""

    def __init__(self, width, height):
        self.layer = width, height
        self.lines = []  # (KEEP or DROP, radius in pixels of the layer, [(x, y), ...])

    def __bool__(self):
        return bool(self.lines)

    def begin(self, kind, radius, x, y):
        self.lines.append((kind, radius, [(x, y)]))

    def go_on(self, x, y):
        self.lines[-1][2].append((x, y))

    def undo(self):
        if self.lines:
            self.lines.pop()

    def clear(self):
        self.lines.clear()

    def planes(self):
        """(width, height), {KEEP or DROP: bytes}: where strokes are 255; the later of two has the pixel."""
        width, height = marks_size(*self.layer)
        scale = width / self.layer[0]
        planes = {}
        for kind, radius, points in self.lines:
            mine = planes.setdefault(kind, bytearray(width * height))
            other = planes.get(DROP if kind == KEEP else KEEP)
            for y, left, right in rows(points, radius, scale, width, height):
                at = y * width
                mine[at + left : at + right] = b"\xff" * (right - left)
                if other is not None:
                    other[at + left : at + right] = bytes(right - left)
        return (width, height), {kind: bytes(plane) for kind, plane in planes.items() if any(plane)}


def marks_size(width, height):
    """The size of the planes for a layer."""
    scale = min(LONGEST / max(width, height), 1.0)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def rows(points, radius, scale, width, height, offset=(0.0, 0.0)):
    """A line of round stamps as (y, left, right) in pixels of a plane, within it. points, radius, offset: the layer's;
    scale: the plane's pixels a layer's pixel."""
    reach = max(radius * scale, 0.7)
    for x, y in stamps(points, max(radius / 2, 0.5 / scale)):
        cx, cy = (x - offset[0]) * scale, (y - offset[1]) * scale
        for row in range(max(int(cy - reach), 0), min(int(cy + reach) + 1, height)):
            half = max(reach * reach - (row + 0.5 - cy) ** 2, 0.0) ** 0.5
            left, right = max(int(cx - half + 0.5), 0), min(int(cx + half + 0.5), width)
            if right > left:
                yield row, left, right


def stamps(points, apart):
    """Points along a line, not farther apart."""
    before = None
    for x, y in points:
        if before is not None:
            count = int(max(abs(x - before[0]), abs(y - before[1])) / apart)
            for i in range(1, count):
                yield before[0] + (x - before[0]) * i / count, before[1] + (y - before[1]) * i / count
        yield x, y
        before = x, y
