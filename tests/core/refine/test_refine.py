import numpy as np
import torch

from nuggy_nodes.core import recipe
from nuggy_nodes.core.ops.resample import enlarge
from nuggy_nodes.core.refine.guided_filter import guided_filter
from nuggy_nodes.core.refine.levels import levels
from nuggy_nodes.core.refine.refine import doubt, radius_in_pixels, refine, undecided


def test_the_radius_grows_with_the_photograph_and_shrinks_with_the_subject():
    assert radius_in_pixels(20, 600, 800) == round(20 * 800 / 1024) and radius_in_pixels(20, 3, 2) == 1
    assert radius_in_pixels(20, 1024, 1024, 0.15) == 10  # half of 0.3
    assert radius_in_pixels(20, 1024, 1024, 0.0) == 3


def test_passes_are_the_filter_and_levels_in_turn(chelsea):

    coarse = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(2))
    settings = recipe("fast", passes=2, gamma=0.5).part("edge")
    radius = radius_in_pixels(20, 300, 451, float(coarse.mean()))
    first = levels(guided_filter(chelsea, coarse, radius, 1e-4), 0.1, 0.9)
    expected = levels(guided_filter(chelsea, first, radius, 1e-4), 0.05, 0.95, 0.5)
    torch.testing.assert_close(refine(chelsea, coarse, **settings), expected)


def test_a_sharp_edge_of_the_mask_is_kept_and_a_wide_doubt_filtered(chelsea):
    """Between them the two are mixed by the share of undecided alpha around a pixel, counted slowly here; and so are
    the filter's narrow window and its wide one."""

    coarse = torch.zeros(1, 1, 96, 128)
    coarse[..., :8] = 1  # a step
    coarse[..., 30:70, 60:110] = torch.rand(40, 50, generator=torch.Generator().manual_seed(5))
    p, reach = coarse[0, 0].double().numpy(), 2  # 128 / 64
    expected = np.empty_like(p)
    for y, x in np.ndindex(p.shape):
        around = p[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1]
        expected[y, x] = (4 * around * (1 - around)).mean()
    np.testing.assert_allclose(undecided(coarse)[0, 0].numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(doubt(coarse)[0, 0].numpy(), ((expected - 0.03) / 0.09).clip(0, 1), atol=1e-5)

    large = torch.nn.functional.interpolate(coarse, scale_factor=16, mode="nearest")  # 2048 wide: told in cells of 4
    around = doubt(large)[0, 0, 8::16, 8::16]
    assert (around - doubt(coarse)[0, 0]).abs()[36:64, 66:104].max() < 0.05 and around[:, :34].max() == 0

    settings = recipe("fast").part("edge")
    plain = enlarge(coarse, 300, 451)
    reach = radius_in_pixels(20, 300, 451, float(coarse.mean()))
    far, near = (guided_filter(chelsea, plain, r, 1e-4) - plain for r in (reach, round(0.3 * reach)))
    weight, wide = doubt(plain), (10 * undecided(plain) - 1).clamp(0, 1)
    assert ((wide > 0) & (wide < 1)).any() and ((weight > 0) & (wide == 0)).any()
    out = refine(chelsea, coarse, **settings)
    full = float(coarse.mean()) / 0.3
    assert 0.15 < full < 1
    parts = [part * change for part, change in ((weight * (1 - wide), near), (wide, far))]
    expected = levels(plain + sum(torch.where(added > 0, full * added, added) for added in parts), 0.1, 0.9)
    torch.testing.assert_close(out, expected, atol=1e-5, rtol=0)
    step = torch.zeros(1, 1, 300, 451)
    step[..., :200] = 1
    assert torch.equal(refine(chelsea, step, **settings), step)  # as sharp as can be
    assert weight[..., 120:200, 240:360].min() == 1


def test_a_window_of_a_photograph_is_refined_as_the_photograph_is():
    """Where the window's border is out of the filters' reach. The mask is periodic, so that window and whole have one
    share of subject."""
    gen = torch.Generator().manual_seed(3)
    image = torch.rand(1, 3, 1024, 1024, generator=gen)
    x = torch.arange(1024) / 1024
    mask = (0.5 + 0.5 * torch.sin(x * 2 * torch.pi * 16)).expand(1, 1, 1024, 1024).contiguous()
    part = (..., slice(256, 768), slice(256, 768))
    inner = (..., slice(128, 384), slice(128, 384))
    torch.testing.assert_close(doubt(mask[part], 1024)[inner], doubt(mask)[part][inner], atol=1e-3, rtol=0)
    whole = refine(image, mask)[part][inner]
    torch.testing.assert_close(refine(image[part], mask[part], whole=1024)[inner], whole, atol=2e-3, rtol=0)
    assert float((refine(image[part], mask[part])[inner] - whole).abs().max()) > 0.05


def test_doubt_in_a_corner_gets_what_the_whole_photograph_would_give(chelsea, monkeypatch):
    """The filter and the learned refinement work on a window around what is in doubt; nothing outside it has a say."""
    whole = lambda mask, around=0: (0, mask.shape[0], 0, mask.shape[1])  # noqa: E731
    height, width = chelsea.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height) / height, torch.arange(width) / width, indexing="ij")
    mask = ((0.2 - (y - 0.6) ** 2 - (x - 0.7) ** 2) * 5).clamp(0, 1)[None, None]
    mask = torch.where(mask > 0.5, 1.0, mask)
    for detail, near in ((0.0, 1e-5), (1.0, 6e-3)):
        got = refine(chelsea, mask, radius=12, passes=2, detail=detail)
        with monkeypatch.context() as m:
            for module in ("refine", "learned"):
                m.setattr(f"nuggy_nodes.core.refine.{module}.bounds", whole)
            wanted = refine(chelsea, mask, radius=12, passes=2, detail=detail)
        assert float((got - wanted).abs().max()) <= near and float((wanted - mask).abs().max()) > 0.1
