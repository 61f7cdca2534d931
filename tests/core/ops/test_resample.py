"""Resizing: against Pillow where it shrinks, against the plain formula where it enlarges."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from nuggy_nodes.core.ops import resample as module
from nuggy_nodes.core.ops.resample import enlarge, resample


@pytest.mark.parametrize(
    ("mode", "filter_"), [("bilinear", Image.Resampling.BILINEAR), ("bicubic", Image.Resampling.BICUBIC)]
)
@pytest.mark.parametrize("size", [(20, 33), (7, 90), (64, 64)])
def test_antialiased_as_pillows_float_pictures(rng, mode, filter_, size):
    x = rng.random((64, 90), np.float32)
    expected = np.asarray(Image.fromarray(x).resize(size[::-1], filter_))
    got = resample(torch.from_numpy(x)[None, None], size, mode)[0, 0]
    np.testing.assert_allclose(got, expected, atol=1e-5)


def plain(x, height, width):
    """Bilinear, sample points in the middle of pixels, the border continued."""
    out = np.zeros((height, width))
    for y in range(height):
        for i in range(width):
            v, u = ((k + 0.5) * n / m - 0.5 for k, n, m in ((y, x.shape[0], height), (i, x.shape[1], width)))
            v, u = min(max(v, 0), x.shape[0] - 1), min(max(u, 0), x.shape[1] - 1)
            y0, x0 = int(v), int(u)
            y1, x1 = min(y0 + 1, x.shape[0] - 1), min(x0 + 1, x.shape[1] - 1)
            a, b = v - y0, u - x0
            out[y, i] = (x[y0, x0] * (1 - b) + x[y0, x1] * b) * (1 - a) + (x[y1, x0] * (1 - b) + x[y1, x1] * b) * a
    return out


def test_enlarged_by_the_formula(rng):
    x = rng.random((4, 5), np.float32)
    np.testing.assert_allclose(enlarge(torch.from_numpy(x)[None, None], 9, 13)[0, 0], plain(x, 9, 13), atol=1e-6)


def test_enlarge_leaves_its_size_and_smooths_where_one_side_shrinks(rng):
    x = torch.from_numpy(rng.random((1, 1, 16, 16), np.float32))
    assert enlarge(x, 16, 16) is x
    for size in ((8, 32), (32, 8), (15, 16), (16, 15)):
        smooth = F.interpolate(x, size=size, mode="bilinear", align_corners=False, antialias=True)
        assert torch.equal(enlarge(x, *size), smooth)


def test_a_device_without_the_filter_borrows_the_cpus(rng, monkeypatch):
    """The CPU has no other to ask; MPS is pretended in test_pretended_mps."""

    def lacking(*args, **settings):
        raise NotImplementedError("not for this device")

    monkeypatch.setattr(module.F, "interpolate", lacking)
    with pytest.raises(NotImplementedError):
        resample(torch.zeros(1, 1, 4, 4), (2, 2))
