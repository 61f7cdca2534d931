"""Views: the way to the square and the exact way back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nuggy_nodes.core import InputError, View
from nuggy_nodes.core.network.protocol import Form
from nuggy_nodes.core.segment.views import fitted, parse_view


@pytest.mark.parametrize(
    "view", [View(), View(640), View(flip=True), View(1024, pad=0.15), View(768, True, 0.3), View(256, pad=1)]
)
def test_the_way_back_is_the_exact_inverse(rng, view):
    """Through to_square and from_square, the frame is the photograph's at the inner size: unflipped, uncropped."""
    image = torch.from_numpy(rng.random((2, 3, 211, 157)).astype(np.float32))
    square = view.to_square(image)
    assert square.shape == (2, 3, view.size, view.size)
    inner = view.size - 2 * view.margin
    expected = F.interpolate(image, size=(inner, inner), mode="bilinear", antialias=True)
    assert torch.equal(view.from_square(square), expected)
    on_grid = view.from_square(F.avg_pool2d(square, 2))
    torch.testing.assert_close(on_grid, F.avg_pool2d(expected, 2))


def test_padding_continues_the_border():
    square = View(512, pad=0.25).to_square(torch.ones(1, 3, 50, 60) * torch.linspace(0.2, 1, 60))
    m = View(512, pad=0.25).margin
    assert m % 2 == 0 and m == pytest.approx(512 * 0.25 / 1.5, abs=2)
    assert torch.equal(square[..., :m], square[..., m : m + 1].expand(-1, -1, -1, m)) and float(square.min()) > 0.19
    assert torch.equal(square[..., -m:], square[..., -m - 1 : -m].expand(-1, -1, -1, m))


def test_resize_is_antialiased_like_pillow(rng):
    from PIL import Image

    pixels = rng.integers(0, 256, (700, 900, 3), np.uint8)
    expected = np.asarray(Image.fromarray(pixels).resize((256, 256), Image.Resampling.BILINEAR), np.float32) / 255
    got = View(256).to_square(torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255)
    assert np.abs(got[0].permute(1, 2, 0).numpy() - expected).max() < 1.5 / 255  # Pillow rounds to 8 bits, twice


def test_view_text():
    for text in ("1024", "640f", "1024p15", "768fp15", "1024d", "512fp15d"):
        assert str(parse_view(text)) == text
    for text in ("", "f", "1000", "1024x", "1024p", "1024df", "99999"):
        with pytest.raises(InputError, match="view"):
            parse_view(text)


@pytest.mark.parametrize(
    ("form", "view", "size", "margin"),
    [
        (Form(size=512), "1024", 512, 0),
        (Form(size=512), "896f", 448, 0),
        (Form(size=512), "640fp15", 320, 40),
        (Form(size=320, fixed=True), "640fp15", 320, 40),
        (Form(size=64, fixed=True), "1024p15", 64, 8),
        (Form(size=4096), "4096", 4096, 0),
    ],
)
def test_a_view_is_the_same_share_of_another_networks_size(form, view, size, margin):
    given = parse_view(view)
    found = fitted(given, form)
    assert (found.size, found.margin, found.flip, found.pad) == (size, margin, given.flip, given.pad)
    assert fitted(given, Form(measured=True)) is given


@pytest.mark.parametrize("wrong", [{"size": 1000}, {"size": 224}, {"size": 4128}, {"pad": -0.1}, {"pad": 1.1}])
def test_a_view_out_of_range_is_refused(wrong):
    with pytest.raises(InputError, match="view's"):
        View(**wrong)


def test_half_precision_is_shown_as_float32_channel_by_channel(rng):
    image = torch.from_numpy(rng.random((2, 3, 40, 50)).astype(np.float16))
    assert torch.equal(View(256).to_square(image), View(256).to_square(image.float()))
