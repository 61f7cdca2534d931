"""The measures of stability and of closer looks, on planes whose figures are known in advance."""

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.large import floating, harm
from benchmarks.stability import CHANGES, growth


@pytest.fixture
def picture():
    """A photograph of 200x100 whose green is its own truth: a disc and a bar, left of the middle."""
    y, x = np.mgrid[0:100, 0:200]
    truth = (((x - 60) ** 2 + (y - 50) ** 2 < 900) | ((abs(y - 50) < 4) & (x > 60) & (x < 120))).astype(np.float32)
    return Image.fromarray(np.repeat(np.uint8(truth * 255)[..., None], 3, 2)), truth


def own(image):
    """A remover that answers with the picture's own brightness."""
    return np.asarray(image.convert("L"), np.float32) / 255


@pytest.mark.parametrize("name", ["crop", "mirror"])
def test_an_answer_that_moves_with_the_photograph_does_not_grow_worse(picture, name):
    image, truth = picture
    assert growth(own, image, truth, own(image), CHANGES[name]) == 0


@pytest.mark.parametrize("name", ["half", "double"])
def test_resized_answers_come_back_where_they_were(picture, name):
    image, truth = picture
    outline = 2 * np.pi * 30 + 2 * 60  # pixels
    assert 0 <= growth(own, image, truth, own(image), CHANGES[name]) < outline / 1000


def test_darker_by_a_fifth_is_a_fifth_of_the_subject(picture):
    image, truth = picture
    assert growth(own, image, truth, own(image), CHANGES["dark"]) == pytest.approx(0.2 * truth.sum() / 1000, rel=1e-3)


@pytest.mark.parametrize("name", ["jpeg30", "dark", "bright", "crop", "mirror"])
def test_an_answer_fixed_to_the_frame_is_caught_where_the_photograph_moves_and_there_alone(picture, name):
    image, truth = picture

    def fixed(given):
        return truth[: given.height, : given.width]

    grown = growth(fixed, image, truth, truth, CHANGES[name])
    assert grown > 0.2 if name in ("crop", "mirror") else grown == 0


def planes():
    """Of 512x512: a body of 200x200 without looks, the same, and the same at 256x256."""
    body = torch.zeros(1, 1, 512, 512)
    body[..., 100:300, 100:300] = 1
    return body, body.clone(), body[..., ::2, ::2].clone()


def test_equal_answers_harm_nothing():
    found, without, reduced = planes()
    told = harm(found, without, reduced)
    assert (told.differs, told.lost, told.brought, told.floating, told.largest) == (0, 0, 0, 0, 0)


def test_a_hole_in_the_body_is_lost():
    found, without, reduced = planes()
    found[..., 180:220, 180:220] = 0
    assert harm(found, without, reduced).lost == pytest.approx(1000 * 40**2 / 200**2)


def test_a_piece_beside_the_body_is_brought_and_floats():
    found, without, reduced = planes()
    found[..., 400:420, 400:440] = 1
    told = harm(found, without, reduced)
    assert told.brought == pytest.approx(1000 * 20 * 40 / 200**2)
    assert (told.floating, told.largest) == (1, 800)


def test_a_piece_that_touches_by_a_corner_does_not_float():
    found, without, _ = planes()
    found[..., 300:310, 300:310] = 1
    assert floating(found[0, 0] > 0.5, without[0, 0] > 0.5) == (0, 0)
