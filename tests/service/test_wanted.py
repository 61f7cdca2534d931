"""What a query asks for, and what is refused before a picture is taken."""

import pytest

from nuggy_nodes.core.errors import InputError
from nuggy_nodes.core.recipes import SETTINGS, recipe
from nuggy_nodes.core.settings import Setting
from nuggy_nodes.service.engine import shown_as
from nuggy_nodes.service.limits import Limits
from nuggy_nodes.service.openapi import openapi, page
from nuggy_nodes.service.wanted import OWN, wanted


def test_settings_are_the_recipes_own():
    asked = wanted([("recipe", "fast"), ("radius", "12.5"), ("views", "512 512f"), ("islands", "all")], 50)
    from nuggy_nodes.core.recipes import views

    assert asked.recipe == recipe("fast", radius=12.5, views=views("512 512f"), islands="all")
    assert asked.output.what == "rgba" and asked.media == "image/png" and not asked.said


def test_jpeg_is_a_composite_and_boxes_are_read():
    asked = wanted([("format", "jpeg"), ("background", "#0a0"), ("box", "1,2,3,4"), ("box", "5,6,7,8")], 50)
    assert asked.output.what == "composite" and asked.media == "image/jpeg"
    assert asked.output.behind.pixels.tolist() == [[[0, 170, 0]]]
    assert asked.said.boxes == [(1, 2, 3, 4), (5, 6, 7, 8)]


@pytest.mark.parametrize("query, words", [
    ("recipe=quick", "there is no recipe"),
    ("radius=1000", "from 0.5 to 128"),
    ("radius=wide", "must be a number"),
    ("radius=1&radius=2", "given twice"),
    ("weights=/etc/passwd", "no setting"),
    ("background=/etc/passwd&output=composite", "no colour"),
    ("background=samples/chelsea.png&output=composite", "no colour"),
    ("background=red", "is for output=composite"),
    ("format=exe", "format must be one of"),
    ("format=jpeg&output=rgba", "no transparency"),
    ("quality=0", "1 to 100"),
    ("quality=²", "1 to 100"),
    ("strip=maybe", "true or false"),
    ("box=1,2,nan,4", "a box is"),
    ("views=", "view"),
])  # fmt: skip
def test_what_does_not_fit_is_refused_in_a_sentence(query, words):
    with pytest.raises(InputError, match=words) as e:
        wanted([tuple(pair.split("=")) for pair in query.split("&")], 50)
    assert "\n" not in str(e.value)


def test_the_description_has_every_setting_with_its_range():
    told = openapi(Limits())["paths"]["/cutout"]["post"]
    by_name = {p["name"]: p["schema"] for p in told["parameters"]}
    assert set(by_name) == {*OWN, *SETTINGS}
    for s in SETTINGS.values():
        assert isinstance(s, Setting) and by_name[s.name].get("minimum") == s.minimum
    text = page(Limits())
    assert "http-equiv" not in text and "<script" not in text and "https://" not in text  # asks nobody else


@pytest.mark.parametrize("name, shown", [
    ("../../etc/passwd", "passwd"), ("C:\\cat.jpg", "cat.jpg"), ("", "picture"), ("a\n\x1b[2J.png", "a[2J.png"),
    ("x" * 300 + ".png", "x" * 96 + ".png"),
])  # fmt: skip
def test_a_senders_name_is_a_name(name, shown):
    assert str(shown_as(name)) == shown
