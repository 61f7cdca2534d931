import pytest
import torch

from nuggy_nodes.core import InputError, View, cutout, recipe

SMALL = {"views": (View(256), View(256, flip=True))}  # what the network sees does not matter
SEEN = {"views": (View(512), View(512, flip=True))}


def test_cutout_of_a_photograph(network, chelsea):
    calls = []
    result = cutout(
        chelsea, network, recipe("balanced", **SEEN), report=lambda stage, share: calls.append((stage, share))
    )
    assert result.alpha.shape == (1, 1, 300, 451) and result.rgba().shape == (1, 4, 300, 451)
    assert result.alpha.min() >= 0 and result.alpha.max() <= 1
    assert result.alpha[0, 0, 100:200, 150:250].mean() > 0.9  # the cat's face
    assert result.alpha[0, 0, :30, -60:].mean() < 0.1  # the room behind it
    assert [s for _, s in calls] == sorted(s for _, s in calls) and calls[-1] == ("done", 1.0)
    assert set(result.seconds) == {"network", "refine", "islands", "colours"} and len(result.islands) == 1
    over = result.over(torch.zeros(1, 3, 300, 451))
    torch.testing.assert_close(over, result.colours * result.alpha)


def test_colours_are_the_subjects_own_and_made_when_asked_for(network, chelsea, monkeypatch):
    from nuggy_nodes.core import estimate_foreground
    from nuggy_nodes.core import result as module

    asked = []
    monkeypatch.setattr(module, "estimate_foreground", lambda *a, **k: asked.append(a) or estimate_foreground(*a, **k))
    result = cutout(chelsea, network, recipe("balanced", **SMALL))
    assert torch.equal(result.image, chelsea) and not asked
    assert torch.equal(result.colours, estimate_foreground(chelsea, result.alpha)) and "colours" in result.seconds
    result.rgba(), result.over(chelsea)
    assert len(asked) == 1
    opaque, hidden = (x.expand_as(chelsea) for x in (result.alpha == 1, result.alpha < 1 / 255))
    assert torch.equal(result.colours[opaque], chelsea[opaque])
    other = recipe("balanced", foreground="none", fill="#336699", **SMALL)
    plain = cutout(chelsea, network, other)
    assert torch.equal(plain.colours[~hidden], chelsea[~hidden])
    filled = plain.colours[0][:, hidden[0, 0]]
    assert filled.shape[1] > 1000 and torch.equal(filled, torch.tensor([0.2, 0.4, 0.6])[:, None].expand_as(filled))


def test_a_photograph_that_is_transparent_already(network, chelsea):
    opacity = torch.ones(1, 1, 300, 451)
    opacity[..., :225] = torch.linspace(0, 1, 225)
    noise = torch.where(opacity > 0, chelsea, torch.rand(chelsea.shape, generator=torch.Generator().manual_seed(5)))
    settings = recipe("balanced", **SMALL)
    result = cutout(chelsea, network, settings, opacity=opacity)
    assert (result.alpha <= opacity).all() and torch.equal(result.image, chelsea)
    expected = cutout(torch.lerp(torch.full_like(chelsea, 0.5), chelsea, opacity), network, settings)
    assert torch.equal(result.alpha, torch.minimum(expected.alpha, opacity))
    assert torch.equal(cutout(noise, network, settings, opacity=opacity).rgba(), result.rgba())
    kept = ((result.alpha == opacity) & (opacity > 0.01)).expand_as(chelsea)
    assert kept[..., :225].any() and torch.equal(result.colours[kept], chelsea[kept])
    for bad in (opacity[..., :9], opacity.expand(1, 3, -1, -1), opacity[:, 0]):
        with pytest.raises(InputError, match="opacity"):
            cutout(chelsea, network, settings, opacity=bad)


def test_cutout_is_deterministic_and_a_frame_stands_alone(network, chelsea):
    settings = recipe("balanced", **SMALL)
    one = cutout(chelsea, network, settings).alpha
    two = cutout(torch.cat((chelsea, chelsea.flip(-1))), network, settings).alpha
    assert torch.equal(two[:1], one) and torch.equal(cutout(chelsea, network, settings).alpha, one)


def test_an_empty_picture_stays_empty(network):
    """No stretch to the full range: what holds no subject gives no mask."""
    result = cutout(torch.full((1, 3, 120, 160), 0.5), network, recipe("balanced", **SEEN))
    assert result.alpha.mean() < 0.01


@pytest.mark.parametrize("height,width", [(1, 1), (1, 40), (37, 53), (300, 7)])
def test_odd_sizes(network, height, width):
    for settings in (recipe("balanced", **SMALL), recipe("fast", views=(View(256),), guide="grey")):
        alpha = cutout(torch.rand(1, 3, height, width), network, settings).alpha
        assert alpha.shape == (1, 1, height, width) and torch.isfinite(alpha).all()


def test_half_precision_and_channels_last_pictures(network32, chelsea):
    settings = recipe("fast", views=(View(256),))
    expected = cutout(chelsea, network32, settings).alpha
    assert (cutout(chelsea.half(), network32, settings).alpha - expected).abs().mean() < 2e-3
    strided = chelsea.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(cutout(strided, network32, settings).alpha, expected, atol=2e-3, rtol=0)
