"""Strokes over what is kept and what is dropped, drawn in the preview: as lines, and as the planes that are sent.

Plain bytes, so that no drawing library is needed that a GIMP may lack.
"""

import json

LONGEST = 2048  # pixels of a plane's side
LONGEST_TEXT = 4 << 20  # characters
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

    def undo(self, all=False):
        del self.lines[0 if all else -1 :]

    def text(self):
        """As text, for `read`."""
        lines = [
            [kind, round(radius, 2), [round(v, 1) for p in points for v in p]] for kind, radius, points in self.lines
        ]
        return json.dumps({"size": self.layer, "lines": lines}, separators=(",", ":"))

    @classmethod
    def read(cls, text, width, height):
        """Those of a text, for a layer that may have been scaled since; none if it has another shape by now, or if the
        text (a file may have brought it) is something else."""
        made = cls(width, height)
        try:
            told = json.loads(text) if text and len(text) < LONGEST_TEXT else {"size": [width, height], "lines": []}
            scale = width / told["size"][0]
            if abs(told["size"][1] * scale - height) > 1 + scale:
                return made
            for kind, radius, flat in told["lines"]:
                reach, far = radius * scale, [v * scale for v in flat]
                sane = 0 < reach <= max(width, height) and all(abs(v) <= 4 * max(width, height) for v in far)
                if not sane or kind not in (KEEP, DROP) or len(far) < 2:
                    return cls(width, height)
                made.lines.append((kind, reach, list(zip(far[0::2], far[1::2]))))
        except (ValueError, TypeError, KeyError, IndexError, ArithmeticError, RecursionError):
            return cls(width, height)
        return made

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
