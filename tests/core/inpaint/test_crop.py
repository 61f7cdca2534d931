"""Windows around the subject: where they lie, what sizes they have, and that the way back is exact."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from nuggy_nodes.core.errors import InputError
from nuggy_nodes.core.inpaint.crop import Crop, resize
from nuggy_nodes.core.inpaint.plan_crop import plan_crop
from tests.core.inpaint.scenes import blob


@pytest.mark.parametrize("multiple", [8, 16, 64])
@pytest.mark.parametrize("shape", ["picture", "subject", "square"])
@pytest.mark.parametrize(("height", "width"), [(203, 157), (96, 301), (64, 64), (5, 7)])
def test_a_window_at_its_own_size_is_exact_both_ways(shape, multiple, height, width, rng):
    """Whatever lies where: cut equals NumPy's cut of the padded photograph, and place is its inverse, bit for bit."""
    alpha = blob(height, width, height // 4, height // 2 + 1, width // 3, width // 2 + 1)
    x = torch.from_numpy(rng.random((1, 3, height, width), np.float32))
    crop = plan_crop(alpha, shape, multiple=multiple)
    assert crop.size == crop.box and crop.size[0] % multiple == 0 == crop.size[1] % multiple
    if shape == "square":
        assert crop.size[0] == crop.size[1]
    made = crop.cut(x)
    space = 2 * multiple + max(height, width)
    padded = np.pad(x[0].numpy(), ((0, 0), (space, space), (space, space)), mode="edge")
    (top, left), (h, w) = crop.corner(), crop.box
    assert np.array_equal(made[0].numpy(), padded[:, space + top : space + top + h, space + left : space + left + w])
    assert torch.equal(crop.place(made, x), x)
    rows, columns = crop.inside()
    marked = crop.place(torch.full_like(made, 2.0), x)
    assert torch.all(marked[..., rows, columns] == 2)
    assert int((marked == 2).sum()) == 3 * (rows.stop - rows.start) * (columns.stop - columns.start)
    ys, xs = ((alpha[0, 0] > 0).nonzero()[:, i] for i in (0, 1))
    assert rows.start <= ys.min() and ys.max() < rows.stop and columns.start <= xs.min() and xs.max() < columns.stop


def test_zeros_beyond_the_photograph():
    alpha = torch.ones(1, 1, 10, 10)
    made = plan_crop(alpha, multiple=16).cut(alpha, "zeros")
    assert made.shape[-2:] == (16, 16) and made.sum() == 100 and made[0, 0, 3:13, 3:13].sum() == 100


def test_resampling_is_where_pillow_puts_it(chelsea):
    """Sample points in the middle of pixels: a smooth picture through a smaller working size, against PIL's bicubic."""
    alpha = blob(300, 451, 60, 220, 120, 330)
    crop = plan_crop(alpha, "subject", margin=0.1, long_side=160)
    made = crop.cut(chelsea)
    rows, columns = crop.inside()
    part = (chelsea[0, :, rows, columns].permute(1, 2, 0) * 255).round().byte().numpy()
    theirs = np.asarray(Image.fromarray(part).resize(crop.size[::-1], Image.Resampling.BICUBIC))
    ours = (made[0].permute(1, 2, 0) * 255).numpy()
    assert part.shape[:2] == crop.box
    # PIL's bicubic has the same windows but a = -0.5, as torch has with antialias
    assert np.abs(ours - theirs).mean() < 0.6


def test_a_smooth_picture_survives_the_way_there_and_back():
    y, x = torch.meshgrid(torch.arange(240.0), torch.arange(320.0), indexing="ij")
    smooth = (0.5 + 0.4 * torch.sin(y / 40) * torch.cos(x / 50)).expand(1, 3, -1, -1)
    crop = plan_crop(blob(240, 320, 80, 160, 100, 220), "subject", long_side=96)
    back = crop.place(crop.cut(smooth), smooth)
    assert (back - smooth).abs().max() < 0.01 and not torch.equal(back, smooth)


def test_half_precision_and_non_contiguous(chelsea):
    alpha = blob(451, 300, 100, 200, 50, 250)
    turned = chelsea.transpose(-1, -2)
    crop = plan_crop(alpha.half(), "square", long_side=64)
    assert (crop.cut(turned.half()).float() - crop.cut(turned.contiguous())).abs().max() < 2e-3
    assert crop.cut(turned.half()).dtype == torch.float16
    assert resize(turned, (64, 64)).min() >= 0 and resize(turned, (64, 64)).max() <= 1


def test_what_does_not_belong_to_the_crop():
    crop = Crop((16, 16), ((0, 0), (0, 8)), (8, 8), (8, 8))
    with pytest.raises(InputError, match="expects"):
        crop.cut(torch.zeros(2, 3, 16, 15))
    with pytest.raises(InputError, match="batch of 3 and the crop 2 windows"):
        crop.cut(torch.zeros(3, 3, 16, 16))
    with pytest.raises(InputError, match="equal batches"):
        crop.place(torch.zeros(2, 3, 8, 8), torch.zeros(1, 3, 16, 16).expand(1, -1, -1, -1))


def test_the_scale_is_working_pixels_for_a_pixel_of_the_photograph():
    crop = Crop((300, 400), ((0, 0),), (150, 100), (75, 50))
    assert crop.scale == 0.5 and crop.corner(7) == (0, 0)
    assert Crop((300, 400), ((1, 2), (3, 4)), (10, 40), (10, 80)).frame(1).corners == ((3, 4),)
    assert Crop((300, 400), ((0, 0),), (10, 40), (10, 80)).scale == 2
