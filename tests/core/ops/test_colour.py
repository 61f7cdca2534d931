"""Colours as text, as pickers and people write them."""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core import InputError
from nuggy_nodes.core.ops.colour import colour_plane, parse_colour, parse_rgba


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [("#336699", "336699"), ("#FFf", "ffffff"), ("09c", "0099cc"), ("  #000001 ", "000001"), ("ABCDEF", "abcdef")],
)
def test_three_and_six_digits(text, bytes_):
    assert parse_colour(text) == tuple(b / 255 for b in bytes.fromhex(bytes_))
    assert parse_rgba(text) == (parse_colour(text), 1.0)


@pytest.mark.parametrize(
    ("text", "colour", "alpha"), [("#33669980", "336699", 0x80), ("#3698", "336699", 0x88), ("ffffff00", "ffffff", 0)]
)
def test_four_and_eight_digits_have_an_alpha(text, colour, alpha):
    assert parse_rgba(text) == (tuple(b / 255 for b in bytes.fromhex(colour)), alpha / 255)


@pytest.mark.parametrize("text", ["", "#", "#12", "#12345", "#1234567", "red", "#gggggg", "##123456", "#123456#"])
def test_what_is_no_colour_is_refused(text):
    for parse in (parse_colour, parse_rgba):
        with pytest.raises(InputError, match="written #rrggbb"):
            parse(text)


def test_a_plane_of_a_colour_is_like_its_picture():
    like = torch.zeros(4, 1, 5, 6, dtype=torch.float16)
    plane = colour_plane((0.25, 0.5, 1.0), like)
    assert plane.shape == (1, 3, 5, 6) and plane.dtype == torch.float16
    assert plane[0, :, 4, 5].tolist() == [0.25, 0.5, 1.0] and plane.flatten(2).unique(dim=2).shape[2] == 1
    for wrong in ((0.5, 0.5), (0, 0, 1.01), (-0.1, 0, 0), (0, float("nan"), 0), (0, 0, 0, 0)):
        with pytest.raises(InputError, match="three values from 0 to 1"):
            colour_plane(wrong, like)
