import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from nuggy_nodes.core import RECIPES, InputError, Recipe, View, cutout, recipe
from nuggy_nodes.core.predict import run_squares
from nuggy_nodes.core.seed import seed_alpha

SMALL = {"views": (View(512), View(512, flip=True))}


def plain_seed(image, network):
    """The seed's recipe read anew from its description, in NumPy and OpenCV (double sigmoid included)."""

    def network_on(picture):
        x = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255
        logits = np.log((p := run_squares(network, x)[0, 0].double().numpy()) / (1 - p))
        once = 1 / (1 + np.exp(-logits))
        return 1 / (1 + np.exp(-once))

    small = image.resize((1024, 1024), Image.Resampling.BILINEAR)
    flipped = small.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    p = (network_on(small) + network_on(flipped)[:, ::-1]) / 2
    p = (p - p.min()) / (p.max() - p.min())
    guide = np.array(small.convert("L")).astype(np.float64) / 255

    def mean(x):
        return cv2.boxFilter(x, cv2.CV_64F, (9, 9))

    a = (mean(guide * p) - mean(guide) * mean(p)) / (mean(guide**2) - mean(guide) ** 2 + 1e-4)
    p = mean(a) * guide + mean(mean(p) - a * mean(guide))
    p[p < 0.2] = 0
    contours, _ = cv2.findContours((p * 255).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    keep = np.zeros(p.shape, np.uint8)
    for c in contours:
        if cv2.contourArea(c) > 0.001 * 1024 * 1024:
            cv2.fillPoly(keep, [c], 1)
    p = np.sqrt(np.where(keep, p, 0))
    p[p > 0.95] = 1
    return np.array(Image.fromarray((p * 255).astype(np.uint8)).resize(image.size, Image.Resampling.BILINEAR)) / 255


def test_seed_recipe_against_a_plain_reading(network, chelsea):
    image = Image.fromarray((chelsea[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
    got = cutout(chelsea, network, "seed").alpha[0, 0].numpy()
    difference = np.abs(got - plain_seed(image, network))
    assert difference.mean() < 1 / 255
    assert 0.1 < got.mean() < 0.95


def test_seed_settings_are_used(network, chelsea, monkeypatch):
    from nuggy_nodes.core import seed

    answers = torch.zeros(2, 1, 1024, 1024)  # a body and an island, soft at the edge, under the cutoff between them
    answers[:, :, 100:700, 100:500], answers[:, :, 800:900, 800:900] = 0.9, 0.8
    answers = torch.nn.functional.avg_pool2d(answers, 41, 1, 20)
    answers = (answers + answers.flip(-1)) / 2
    monkeypatch.setattr(seed, "run_squares", lambda *a, **k: answers)
    plain = seed_alpha(chelsea, network, recipe("seed"))
    for change in ({"gamma": 0.9}, {"threshold": 0.6}, {"radius": 1}, {"epsilon": 1e-1}, {"min_area": 0.05}):
        assert not torch.equal(seed_alpha(chelsea, network, recipe("seed", **change)), plain), change


def test_cutout_of_a_photograph(network, chelsea):
    calls = []
    result = cutout(
        chelsea, network, recipe("balanced", **SMALL), report=lambda stage, share: calls.append((stage, share))
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
    from nuggy_nodes.core import estimate_foreground, pipeline

    asked = []
    monkeypatch.setattr(
        pipeline, "estimate_foreground", lambda *a, **k: asked.append(a) or estimate_foreground(*a, **k)
    )
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
    assert torch.equal(plain.colours[:, :, 0, 0], torch.tensor([[0.2, 0.4, 0.6]])) and hidden[0, 0, 0, 0]


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
    result = cutout(torch.full((1, 3, 120, 160), 0.5), network, recipe("balanced", **SMALL))
    assert result.alpha.mean() < 0.01


@pytest.mark.parametrize("height,width", [(1, 1), (1, 40), (37, 53), (300, 7)])
def test_odd_sizes(network, height, width):
    for settings in (recipe("balanced", **SMALL), recipe("fast", views=(View(256),), guide="grey")):
        alpha = cutout(torch.rand(1, 3, height, width), network, settings).alpha
        assert alpha.shape == (1, 1, height, width) and torch.isfinite(alpha).all()


def test_half_precision_and_channels_last_pictures(network, chelsea):
    settings = recipe("fast", views=(View(256),))
    expected = cutout(chelsea, network, settings).alpha
    assert (cutout(chelsea.half(), network, settings).alpha - expected).abs().mean() < 2e-3
    strided = chelsea.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(cutout(strided, network, settings).alpha, expected, atol=2e-3, rtol=0)


def test_recipes():
    assert {"default", "seed", "fast", "balanced", "best"} <= set(RECIPES)
    assert recipe("fast", black=0.3).black == 0.3 and recipe("fast").black != 0.3
    assert Recipe("mine").radius_for(600, 800) == round(Recipe("mine").radius * 800 / 1024)
    assert Recipe("mine").radius_for(3, 2) == 1
    assert Recipe("mine", radius=20).radius_for(1024, 1024, 0.15) == 10  # half of 0.3
    assert Recipe("mine", radius=20).radius_for(1024, 1024, 0.0) == 3
    assert [Recipe("mine", black=0.1, white=0.9).levels_for(i) for i in (0, 1)] == [(0.1, 0.9), (0.05, 0.95)]


def test_passes_are_the_filter_and_levels_in_turn(chelsea):
    from nuggy_nodes.core.guided import guided_filter
    from nuggy_nodes.core.levels import levels
    from nuggy_nodes.core.pipeline import refine

    coarse = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(2))
    settings = recipe("fast", passes=2, gamma=0.5)
    radius = settings.radius_for(300, 451, float(coarse.mean()))
    first = levels(guided_filter(chelsea, coarse, radius, 1e-4), 0.1, 0.9)
    expected = levels(guided_filter(chelsea, first, radius, 1e-4), 0.05, 0.95, 0.5)
    torch.testing.assert_close(refine(chelsea, coarse, settings), expected)


def test_a_sharp_edge_of_the_mask_is_kept_and_a_wide_doubt_filtered(chelsea):
    """Between them the two are mixed by the share of undecided alpha around a pixel, counted slowly here."""
    from nuggy_nodes.core.guided import enlarge, guided_filter
    from nuggy_nodes.core.levels import levels
    from nuggy_nodes.core.pipeline import doubt, refine

    coarse = torch.zeros(1, 1, 96, 128)
    coarse[..., :8] = 1  # a step
    coarse[..., 30:70, 60:110] = torch.rand(40, 50, generator=torch.Generator().manual_seed(5))
    p, reach = coarse[0, 0].double().numpy(), 2  # 128 / 64
    expected = np.empty_like(p)
    for y, x in np.ndindex(p.shape):
        around = p[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1]
        expected[y, x] = np.clip(((4 * around * (1 - around)).mean() - 0.03) / 0.09, 0, 1)
    np.testing.assert_allclose(doubt(coarse)[0, 0].numpy(), expected, atol=1e-5)

    large = torch.nn.functional.interpolate(coarse, scale_factor=16, mode="nearest")  # 2048 wide: told in cells of 4
    around = doubt(large)[0, 0, 8::16, 8::16]
    assert (around - doubt(coarse)[0, 0]).abs()[36:64, 66:104].max() < 0.05 and around[:, :34].max() == 0

    settings = recipe("fast")
    plain = enlarge(coarse, 300, 451)
    filtered = guided_filter(chelsea, plain, settings.radius_for(300, 451, float(coarse.mean())), 1e-4)
    weight = doubt(plain)
    out = refine(chelsea, coarse, settings)
    full = float(coarse.mean()) / 0.3
    assert 0.15 < full < 1
    added = weight * (filtered - plain)
    expected = levels(plain + torch.where(added > 0, full * added, added), 0.1, 0.9)
    torch.testing.assert_close(out, expected, atol=1e-5, rtol=0)
    step = torch.zeros(1, 1, 300, 451)
    step[..., :200] = 1
    assert torch.equal(refine(chelsea, step, settings), step)  # as sharp as can be
    assert weight[..., 120:200, 240:360].min() == 1


@pytest.mark.parametrize(
    "which,changes,word",
    [
        ("none", {}, "fast"),
        ("fast", {"blur": 1}, "blur"),
        ("fast", {"guide": "red"}, "guide"),
        ("fast", {"passes": 0}, "passes"),
        ("fast", {"views": ()}, "view"),
        ("fast", {"foreground": "best"}, "foreground must be multilevel"),
        ("fast", {"fill": "red wine"}, "fill must be smooth"),
    ],
)
def test_wrong_recipes(which, changes, word):
    with pytest.raises(InputError, match=word):
        recipe(which, **changes)
