"""A photograph on the page: the network is asked once, a change runs what comes after it, what is old goes."""

import io
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from nuggy_nodes.core import cutout, recipe
from nuggy_nodes.core.network.metadata import Info
from nuggy_nodes.core.network.protocol import Form
from nuggy_nodes.demo import shared
from nuggy_nodes.demo.photo import LEAST, THUMB, Photo, Shelf, jpeg
from nuggy_nodes.service.limits import Limits
from nuggy_nodes.service.line import Line


class Counting:
    """A network that finds what is bright, and counts how often it is asked."""

    info, path, device = Info(), Path("counting"), torch.device("cpu")

    def __init__(self, measured: bool):
        self.form, self.asked = Form(size=256, measured=measured), 0

    def see(self, squares):
        self.asked += 1
        return torch.nn.functional.avg_pool2d(squares.mean(1, True), 2) * 20 - 10


def file() -> bytes:
    out = io.BytesIO()
    picture = Image.new("RGB", (90, 60), (10, 20, 30))
    picture.paste((220, 240, 200), (30, 15, 60, 45))
    picture.save(out, "PNG")
    return out.getvalue()


def studio(measured: bool = True) -> SimpleNamespace:
    return SimpleNamespace(network=Counting(measured), limits=Limits(), device=torch.device("cpu"), line=Line(5))


FAST = recipe("fast", views=recipe("fast").views[:1])


@pytest.mark.parametrize("measured", [True, False], ids=["IS-Net", "another"])
def test_the_network_is_asked_once(measured):
    found, photo = studio(measured), Photo("a.png", file)
    first = photo.cutout(found, FAST)
    asked = found.network.asked
    assert asked >= 1
    for changed in (FAST, recipe(FAST, black=0.3, white=0.8), recipe(FAST, islands="all")):
        again = photo.cutout(found, changed)
        alone = cutout(first.image, Counting(measured), changed)
        assert torch.equal(again.alpha, alone.alpha)
        assert photo.has(changed) and photo.cutout(found, changed) is again
    assert found.network.asked == asked
    photo.correct(torch.ones(1, 1, 6, 9), None, ())
    assert not photo.has(changed)
    assert photo.cutout(found, changed).alpha.min() == 1  # a stroke over everything
    assert found.network.asked == asked


def test_a_stroke_leaves_another_networks_masks_as_they_were(monkeypatch):
    from nuggy_nodes.demo import photo as module

    found, photo = studio(measured=False), Photo("a.png", file)
    photo.cutout(found, recipe("balanced"))
    monkeypatch.setattr(module, "look_again", lambda *_: pytest.fail("the recipe has not changed"))
    photo.correct(None, torch.ones(1, 1, 6, 9), ())
    assert photo.cutout(found, recipe("balanced")).alpha.max() == 0


def test_what_is_too_much_or_old_is_let_go_of_the_longest_unused_first():
    found = studio()
    photos = [Photo(f"{i}.png", file) for i in range(3)]
    shelf = Shelf(most=10**9, seconds=100)
    for photo in photos:
        shelf.add(photo)
        photo.cutout(found, FAST)
    each = photos[0].held()
    assert each > 0 and shelf.tidy() == 3 * each and not shelf.old()
    shelf.most = 2 * each
    assert shelf.tidy() == 2 * each and [p.held() > 0 for p in photos] == [False, True, True]
    photos[2].used -= 200
    assert shelf.old() and shelf.tidy() == each and [p.held() > 0 for p in photos] == [False, True, False]
    assert photos[0].cutout(found, FAST).alpha.shape == (1, 1, 60, 90)  # made again
    photos[1].used -= 200
    assert shelf.tidy(but=photos[1]) == 2 * each


def test_the_clock_lets_go_where_nobody_comes(monkeypatch):
    found, photo = studio(), Photo("a.png", file)
    shelf = Shelf(most=10**9, seconds=0.04)
    shelf.add(photo)
    photo.cutout(found, FAST)
    time.sleep(0.05)
    shared.watch(found, shelf, rounds=1)
    assert photo.held() == 0 and len(found.line) == 0


def test_photographs_have_numbers_of_their_own():
    assert len({Photo("a.png", file).number for _ in range(5)}) == 5


def large() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((1800, 1200)).convert("RGB").save(out, "PNG")  # a soft edge across the middle
    return out.getvalue()


def test_a_change_is_sketched_on_a_smaller_photograph_and_leaves_the_whole_alone():
    found, photo = studio(), Photo("a.png", large)
    balanced = recipe("balanced", views=recipe("balanced").views[:1])
    assert photo.sketch(balanced) is None  # nothing has been seen yet
    whole = photo.cutout(found, balanced)
    asked, changed = found.network.asked, recipe(balanced, black=0.6, white=0.95)
    sketch = photo.sketch(changed)
    assert sketch.alpha.shape == (1, 1, 683, 1024) and sketch.colours.shape == (1, 3, 683, 1024)
    assert not photo.has(changed) and photo.has(balanced) and photo.cutout(found, balanced) is whole
    exact = photo.cutout(found, changed)
    assert found.network.asked == asked
    assert torch.equal(exact.alpha, cutout(whole.image, Counting(True), changed).alpha)
    near = torch.nn.functional.interpolate(exact.alpha, (683, 1024), mode="bilinear", antialias=True)
    assert (sketch.alpha - near).abs().mean() < 0.01
    other = torch.nn.functional.interpolate(whole.alpha, (683, 1024), mode="bilinear", antialias=True)
    assert (sketch.alpha - near).abs().mean() < (other - near).abs().mean()  # of what was asked for, not of what was
    assert photo.sketch(recipe(balanced, views=recipe("balanced").views[:2])) is None  # the network's own part
    assert photo.sketch(recipe(changed, detail=0.0)) is None  # soon done
    photo.correct(None, None, ((600.0, 300.0, 300.0, 600.0),))
    assert photo.sketch(changed) is None
    photo.let_go()
    assert photo.sketch(changed) is None


def test_a_photograph_that_is_seen_anew_is_sketched_from_what_was_seen_then():
    found, photo = studio(), Photo("a.png", large)
    first = recipe("balanced", views=recipe("balanced").views[:1])
    second = recipe("balanced", views=recipe("balanced").views[2:3])
    for known in (first, second):
        photo.cutout(found, known)
        changed, fresh = recipe(known, black=0.3), Photo("b.png", large)
        fresh.cutout(found, known)
        assert torch.equal(photo.sketch(changed).alpha, fresh.sketch(changed).alpha)


@pytest.mark.parametrize("size", [(1, 3000), (3000, 1), (30, 20), (1, 1)])
def test_a_line_has_a_thumbnail_that_can_be_shown_smaller(size):
    with Image.open(io.BytesIO(jpeg(torch.rand(1, 3, *size), THUMB, 80, LEAST))) as found:
        assert max(found.size) <= THUMB and int(min(found.size) * 110 / THUMB) >= 1
