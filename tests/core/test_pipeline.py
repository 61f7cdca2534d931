import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from nuggy_nodes.core import RECIPES, InputError, View, cutout, recipe
from nuggy_nodes.core.demo import demo_alpha
from nuggy_nodes.core.recipes import SETTINGS
from nuggy_nodes.core.segment.predict import run_squares

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
    from nuggy_nodes.core import demo

    answers = torch.zeros(2, 1, 1024, 1024)  # a body and an island, soft at the edge, under the cutoff between them
    answers[:, :, 100:700, 100:500], answers[:, :, 800:900, 800:900] = 0.9, 0.8
    answers = torch.nn.functional.avg_pool2d(answers, 41, 1, 20)
    answers = (answers + answers.flip(-1)) / 2
    monkeypatch.setattr(demo, "run_squares", lambda *a, **k: answers)
    plain = demo_alpha(chelsea, network, recipe("seed"))
    for change in ({"gamma": 0.9}, {"threshold": 0.6}, {"radius": 1}, {"epsilon": 1e-1}, {"min_area": 0.05}):
        assert not torch.equal(demo_alpha(chelsea, network, recipe("seed", **change)), plain), change


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
    assert {"demo", "fast", "balanced", "best"} <= set(RECIPES)
    assert recipe("fast", black=0.3).black == 0.3 and recipe("fast").black != 0.3
    assert recipe("default") == RECIPES["balanced"] and recipe("seed") == RECIPES["demo"]  # names of before


def test_shipped_recipes_are_pinned():
    """Whoever changes a default changes this too, and the table in benchmarks/RESULTS.md."""
    usual = {"guide": "colour", "radius": 20.0, "epsilon": 1e-4, "passes": 1, "black": 0.1, "white": 0.9, "gamma": 1.0,
             "detail": 0.75, "islands": "subject", "threshold": 0.1, "min_area": 0.002, "min_reach": 0.02,
             "min_peak": 0.5,
             "max_hole": 0.0, "shift_edge": 0.0, "feather": 0.0, "foreground": "multilevel",
             "fill": "smooth"}  # fmt: skip
    pinned = {
        "fast": usual | {"views": "1024", "combine": "mean", "looks": 1, "detail": 0.0},
        "balanced": usual | {"views": "896 896f 640fp15", "combine": "regions", "looks": 1},
        "best": usual | {"views": "896 896f 640fp15 1024p15 1024fp15", "combine": "regions", "looks": 2},
        "demo": usual | {"views": "1024 1024f", "combine": "mean", "looks": 1, "guide": "grey", "radius": 4.0,
                         "threshold": 0.2, "min_area": 0.001, "gamma": 0.5, "black": 0.0, "white": 1.0,
                         "detail": 0.0, "foreground": "none"},
    }  # fmt: skip
    assert list(RECIPES) == list(pinned)
    for name, values in pinned.items():
        got = {s: getattr(RECIPES[name], s) for s in SETTINGS} | {"views": " ".join(map(str, RECIPES[name].views))}
        assert got == values, name


@pytest.mark.parametrize(
    "which,changes,word",
    [
        ("none", {}, "fast"),
        ("fast", {"blur": 1}, "blur"),
        ("fast", {"guide": "red"}, "guide"),
        ("fast", {"passes": 0}, "passes"),
        ("fast", {"views": ()}, "view"),
        ("fast", {"foreground": "best"}, "foreground must be one of multilevel"),
        ("fast", {"fill": "red wine"}, "fill must be smooth"),
    ],
)
def test_wrong_recipes(which, changes, word):
    with pytest.raises(InputError, match=word):
        recipe(which, **changes)
