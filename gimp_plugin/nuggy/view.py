"""Which part of a layer a preview shows, and how large: zooming and panning as numbers, without GTK."""

STEPS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8)
MOST = 4.0  # screen pixels of a layer's pixel when a small layer is fitted in


class View:
    """Of a layer of width x height pixels, in an area of the screen. zoom: screen pixels a layer's pixel."""

    def __init__(self, width, height):
        self.layer = width, height
        self.area = 400, 300
        self.fitted = True
        self.zoom = 1.0
        self.centre = width / 2, height / 2
        self.resize(*self.area)

    def resize(self, width, height):
        """The area is now this large."""
        self.area = max(width, 16), max(height, 16)
        if self.fitted:
            self.fit()
        else:
            self._keep_inside()

    def fit(self):
        """The whole layer."""
        self.fitted = True
        self.zoom = min(*(a / s for a, s in zip(self.area, self.layer)), MOST)
        self.centre = self.layer[0] / 2, self.layer[1] / 2

    def zoom_to(self, zoom, at=None):
        """To a zoom; what lies at the point `at` of the screen stays there."""
        x, y = at or (self.area[0] / 2, self.area[1] / 2)
        fixed = self.to_layer(x, y)
        self.fitted = False
        self.zoom = min(max(zoom, min(STEPS[0], self._whole())), STEPS[-1])
        self.centre = tuple(f - (p - a / 2) / self.zoom for f, p, a in zip(fixed, (x, y), self.area))
        self._keep_inside()

    def step(self, closer, at=None):
        """To the next zoom of STEPS, the whole layer among them."""
        whole = self._whole()
        steps = sorted({*STEPS, whole})
        if closer:
            zoom = next((s for s in steps if s > self.zoom * 1.001), steps[-1])
        else:
            zoom = next((s for s in reversed(steps) if s < self.zoom / 1.001), steps[0])
        if not closer and zoom <= whole:
            self.fit()
        else:
            self.zoom_to(zoom, at)

    def pan(self, across, down):
        """By screen pixels."""
        self.fitted = False
        self.centre = self.centre[0] - across / self.zoom, self.centre[1] - down / self.zoom
        self._keep_inside()

    def rect(self):
        """The part that is seen, in whole pixels of the layer: x, y, width, height."""
        out = []
        for c, a, size in zip(self.centre, self.area, self.layer):
            half = a / self.zoom / 2
            start = min(max(int(c - half), 0), size - 1)
            out.append((start, min(max(int(c + half + 0.999), start + 1), size) - start))
        return out[0][0], out[1][0], out[0][1], out[1][1]

    def shown(self, rect=None):
        """Its width and height on the screen."""
        _x, _y, width, height = rect or self.rect()
        return max(round(width * self.zoom), 1), max(round(height * self.zoom), 1)

    def computed(self, rect=None):
        """The width and height in which it is computed: the screen's, and not more than the layer has."""
        _x, _y, width, height = rect or self.rect()
        shown = self.shown(rect)
        return min(shown[0], width), min(shown[1], height)

    def to_layer(self, x, y):
        """A point of the area in pixels of the layer. The part that is seen is centred in the area."""
        rect, shown = self.rect(), self.shown()
        left, top = (max((a - s) / 2, 0) for a, s in zip(self.area, shown))
        return rect[0] + (x - left) / self.zoom, rect[1] + (y - top) / self.zoom

    def _whole(self):
        return min(*(a / s for a, s in zip(self.area, self.layer)), MOST)

    def _keep_inside(self):
        out = []
        for c, a, size in zip(self.centre, self.area, self.layer):
            half = a / self.zoom / 2
            out.append(size / 2 if 2 * half >= size else min(max(c, half), size - half))
        self.centre = tuple(out)
