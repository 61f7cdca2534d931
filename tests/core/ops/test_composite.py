import numpy as np
import pytest
import torch
from PIL import Image

from nuggy_nodes.core import InputError
from nuggy_nodes.core.ops.colour import colour_plane
from nuggy_nodes.core.ops.composite import fit, over, over_transparent, rgba


def test_over_against_pillow(rng):
    fore, back = (rng.integers(0, 256, (20, 30, 3), np.uint8) for _ in range(2))
    alpha = rng.integers(0, 256, (20, 30), np.uint8)
    picture = Image.fromarray(np.dstack((fore, alpha)), "RGBA")
    expected = np.array(Image.alpha_composite(Image.fromarray(back).convert("RGBA"), picture))[..., :3]
    t = [torch.from_numpy(x.astype(np.float32) / 255).permute(2, 0, 1)[None] for x in (fore, back)]
    got = over(t[0], torch.from_numpy(alpha.astype(np.float32) / 255)[None, None], t[1])
    assert np.abs(got[0].permute(1, 2, 0).numpy() * 255 - expected).max() <= 1


def test_one_background_serves_a_batch_and_mismatch_is_named():
    fore, alpha = torch.rand(5, 3, 4, 6), torch.rand(5, 1, 4, 6)
    got = over(fore, alpha, colour_plane((1, 0, 0), fore))
    assert got.shape == fore.shape
    torch.testing.assert_close(got[:, 1], fore[:, 1] * alpha[:, 0])
    with pytest.raises(InputError, match="5.*3"):
        over(fore, alpha[:3], colour_plane((1, 0, 0), fore))
    with pytest.raises(InputError, match="6x4"):
        over(fore, alpha, torch.rand(1, 3, 8, 8))
    with pytest.raises(InputError, match="three values"):
        colour_plane((2, 0, 0), fore)


def test_one_photograph_serves_many_masks():
    got = over(torch.ones(1, 3, 4, 4), torch.rand(3, 1, 4, 4), torch.zeros(1, 3, 4, 4))
    assert got.shape == (3, 3, 4, 4)
    assert rgba(torch.ones(1, 3, 4, 4), torch.rand(3, 1, 4, 4)).shape == (3, 4, 4, 4)


@pytest.mark.parametrize("how", ["cover", "contain", "stretch"])
@pytest.mark.parametrize("size", [(40, 60), (60, 40), (7, 91), (1, 1)])
def test_fit_gives_the_size(how, size):
    assert fit(torch.rand(2, 3, 30, 50), *size, how).shape == (2, 3, *size)


def test_fit_keeps_the_aspect():
    """A disc stays round under cover and contain; contain shows all of it, stretch does not keep it round."""
    y, x = torch.meshgrid(torch.arange(100.0), torch.arange(200.0), indexing="ij")
    disc = (((y - 50) ** 2 + (x - 100) ** 2) < 30**2).float().expand(1, 3, 100, 200)
    for how, scale in (("cover", 3.0), ("contain", 1.5)):
        part = fit(disc, 300, 300, how)[0, 0] > 0.5
        tall, wide = part.any(1).sum().item(), part.any(0).sum().item()
        assert abs(tall - wide) <= 2 and abs(tall - 59 * scale) <= 3
    part = fit(disc, 300, 300, "stretch")[0, 0] > 0.5
    assert part.any(1).sum().item() > 1.8 * part.any(0).sum().item()


def test_contain_continues_the_border():
    back = torch.zeros(1, 3, 10, 20)
    back[:, :, 0] = 1
    out = fit(back, 40, 20, "contain")
    assert out[0, 0, 0].min() == 1 and out[0, 0, -1].max() == 0


def test_straight_alpha_is_never_multiplied():
    colours, alpha = torch.full((1, 3, 4, 4), 0.8), torch.full((1, 1, 4, 4), 0.2)
    assert (rgba(colours, alpha)[:, :3] == 0.8).all()


@pytest.mark.parametrize("kind", [torch.float32, torch.float16])
def test_over_a_transparent_background_against_pillow(rng, kind):
    fore, back = (rng.integers(0, 256, (20, 30, 4), np.uint8) for _ in range(2))
    expected = np.array(Image.alpha_composite(Image.fromarray(back), Image.fromarray(fore)))
    f, b = (torch.from_numpy(x.astype(np.float32) / 255).permute(2, 0, 1)[None] for x in (fore, back))
    colours, seen = over_transparent(f[:, :3].to(kind), f[:, 3:], b[:, :3], b[:, 3:])  # a large photograph is in halves
    assert colours.dtype == seen.dtype == kind
    assert np.abs(seen[0, 0].float().numpy() * 255 - expected[..., 3]).max() <= 1
    visible = expected[..., 3] > 64
    assert np.abs(colours[0].permute(1, 2, 0).float().numpy() * 255 - expected[..., :3])[visible].max() <= 3
