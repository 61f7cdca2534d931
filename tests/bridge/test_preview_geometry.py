"""The preview's numbers: what part of the layer is seen, and what a stroke marks. No GTK is needed for them."""

from __future__ import annotations

import importlib.util
import types
from pathlib import Path

import numpy as np
import pytest

PLUGIN = Path(__file__).resolve().parents[2] / "gimp_plugin" / "nuggy"


def load(name: str) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("plugin_" + name, PLUGIN / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def view() -> types.ModuleType:
    return load("view")


@pytest.fixture(scope="module")
def strokes() -> types.ModuleType:
    return load("strokes")


@pytest.mark.parametrize("size", [(4000, 3000), (300, 4000), (7, 5), (1, 1)])
def test_every_zoom_shows_a_part_of_the_layer(view: types.ModuleType, size: tuple[int, int]) -> None:
    v = view.View(*size)
    v.resize(640, 480)
    assert v.rect() == (0, 0, *size) and v.shown()[0] <= 640 and v.shown()[1] <= 480
    for closer in [True] * 12 + [False] * 14:
        v.step(closer, (100, 470))
        v.pan(977, -535)
        x, y, width, height = v.rect()
        assert x >= 0 and y >= 0 and width >= 1 and x + width <= size[0] and y + height <= size[1]
        assert all(c <= s for c, s in zip(v.computed(), (width, height)))
    assert not v.fitted or v.rect() == (0, 0, *size)


def test_what_lies_under_the_mouse_stays_there(view: types.ModuleType) -> None:
    v = view.View(4000, 3000)
    v.resize(640, 480)
    at = (250, 300)
    before = v.to_layer(*at)
    v.zoom_to(1.0, at)
    assert v.to_layer(*at) == pytest.approx(before, abs=1.5)
    assert v.shown()[0] in (640, 641) and v.rect()[2] in (640, 641)
    v.pan(-100, 50)
    assert v.to_layer(*at) == pytest.approx((before[0] + 100, before[1] - 50), abs=1.5)


def test_a_stroke_marks_what_it_was_drawn_over(strokes: types.ModuleType) -> None:
    made = strokes.Strokes(300, 200)
    made.begin(strokes.KEEP, 6, 50, 100)
    made.go_on(150, 100)
    (width, height), planes = made.planes()
    assert (width, height) == (300, 200) and set(planes) == {"keep"}
    plane = np.frombuffer(planes["keep"], np.uint8).reshape(200, 300)
    rows, columns = np.mgrid[:200, :300] + 0.5
    apart = np.hypot(np.maximum(np.maximum(50 - columns, columns - 150), 0), rows - 100)
    assert (plane[apart < 4.5] == 255).all() and (plane[apart > 7] == 0).all()


def test_the_later_stroke_has_the_pixel_and_can_be_taken_back(strokes: types.ModuleType) -> None:
    made = strokes.Strokes(5000, 4000)
    made.begin(strokes.KEEP, 200, 2000, 2000)
    made.begin(strokes.DROP, 100, 2000, 2000)
    size, planes = made.planes()
    assert max(size) == strokes.LONGEST and len(planes["keep"]) == size[0] * size[1]
    keep, drop = (np.frombuffer(planes[n], np.uint8) for n in ("keep", "drop"))
    assert drop.any() and not (keep & drop).any()
    made.undo()
    assert set(made.planes()[1]) == {"keep"}
    made.undo()
    made.undo()
    assert not made and made.planes()[1] == {}
    made.begin(strokes.KEEP, 3, -500, -500)  # beside the layer
    assert made.planes()[1] == {}


def test_strokes_outlive_a_dialog_and_a_scaled_layer(strokes: types.ModuleType) -> None:
    made = strokes.Strokes(300, 200)
    made.begin(strokes.KEEP, 6, 50, 100)
    made.go_on(150, 100.25)
    made.begin(strokes.DROP, 1.5, 10, 20)
    again = strokes.Strokes.read(made.text(), 300, 200)
    assert again.lines == [("keep", 6, [(50, 100), (150, 100.2)]), ("drop", 1.5, [(10, 20)])]
    larger = strokes.Strokes.read(made.text(), 600, 400)
    assert larger.lines[0] == ("keep", 12, [(100, 200), (300, 200.4)])
    assert not strokes.Strokes.read(made.text(), 200, 300), "turned or cut: they lie elsewhere"
    made.undo(all=True)
    assert not made and not strokes.Strokes.read("", 300, 200)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "7", '{"size": 3}', '{"size": [0, 0], "lines": []}', "[" * 100_000,
     *(f'{{"size": [300, 200], "lines": {lines}}}' for lines in (
         '[["keep", 5]]', '[["paint", 5, [1, 2]]]', '[["keep", 0, [1, 2]]]', '[["keep", 1e9, [1, 2]]]',
         '[["keep", 5, [1, NaN]]]', '[["keep", 5, [1e300, 2]]]', '[["keep", 5, []]]', '[["keep", "5", [1, 2]]]', "5"))],
)  # fmt: skip
def test_what_is_no_stroke_of_ours_is_passed_over(strokes: types.ModuleType, text: str) -> None:
    """An image file may bring a parasite of any content."""
    assert not strokes.Strokes.read(text, 300, 200)
