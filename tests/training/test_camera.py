"""Every property of the drawn scenes that the network must not care about: each against its closed form, or counted."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from nuggy_nodes.training import motifs
from nuggy_nodes.training.camera import Camera, draw_camera, expose
from nuggy_nodes.training.motifs import Desk
from nuggy_nodes.training.shapes import contour, creature
from nuggy_nodes.training.strands import Strokes, lines, strokes
from tests.training.samples import picture

WHITE = np.ones(3, np.float32)


def grey(value: float, size: int = 256) -> torch.Tensor:
    return torch.full((1, 3, size, size), value)


def desk(rng: np.random.Generator, ground: np.ndarray, near: bool = False) -> Desk:
    return Desk(rng, len(ground), picture(3, (90, 120)), ground, near)


def test_every_property_comes_up_and_none_always() -> None:
    rng = np.random.default_rng(0)
    cameras = [draw_camera(rng) for _ in range(600)]
    shares = {
        "defocus": [c.blur > 0 for c in cameras],
        "strong defocus": [c.blur > 1.2 for c in cameras],
        "motion": [c.move[0] > 0 for c in cameras],
        "noise": [any(c.noise) for c in cameras],
        "jpeg": [c.quality > 0 for c in cameras],
        "dark": [np.mean(c.gain) < 0.9 for c in cameras],
        "light": [np.mean(c.gain) > 1.1 for c in cameras],
        "grey": [c.grey == 1 for c in cameras],
    }
    for name, found in shares.items():
        assert 0.02 < np.mean(found) < 0.95, name
    assert min(c.quality for c in cameras if c.quality) < 45
    of_photographs = [draw_camera(rng, lens=False) for _ in range(200)]
    assert not any(c.blur or c.move[0] for c in of_photographs)


@pytest.mark.parametrize("value", [0.1, 0.5, 0.8])
def test_noise_has_its_variance_of_light_and_of_darkness(value: float) -> None:
    noise = expose(grey(value), Camera(noise=(0.03, 0.01), seed=5)) - value
    assert float(noise.std()) == pytest.approx((0.03**2 * value + 0.01**2 + (1 / 255) ** 2 / 12) ** 0.5, rel=0.02)
    assert abs(float(noise.mean())) < 1e-3


def test_jpeg_is_jpeg_of_that_quality() -> None:
    """Another library's file of the same quality: as far from the picture, and close to ours."""
    pixels = picture(1, (96, 128)) // 2 + np.random.default_rng(0).integers(0, 90, (96, 128, 1), np.uint8)
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    for quality in (40, 80):
        ours = expose(image, Camera(quality=quality))[0].permute(1, 2, 0).numpy() * 255
        stored = io.BytesIO()
        Image.fromarray(pixels).save(stored, "jpeg", quality=quality)
        theirs = np.asarray(Image.open(stored), np.float64)
        lost = np.abs(theirs - pixels).mean()
        assert lost > 3 and np.abs(ours - pixels).mean() == pytest.approx(lost, rel=0.05)
        assert np.abs(ours - theirs).mean() < lost / 4


def test_light_in_closed_form() -> None:
    x = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 0.6 + 0.1
    seen = expose(x, Camera(gain=(1.1, 1.0, 0.9), contrast=1.2, gamma=0.8))
    expected = ((x * torch.tensor([1.1, 1.0, 0.9]).view(1, 3, 1, 1) - 0.5) * 1.2 + 0.5).clamp(0, 1) ** 0.8
    assert (seen - expected).abs().max() <= 0.5 / 255 + 1e-6
    dull = expose(x, Camera(grey=1.0))
    assert torch.allclose(dull[:, 0], dull[:, 2]) and float(dull.std()) > 0
    corners = expose(grey(0.8, 65), Camera(fall=0.4))[0, 0]
    assert float(corners[32, 32]) == pytest.approx(0.8, abs=0.003)
    assert float(corners[0, 0]) == pytest.approx(0.8 * 0.6, abs=0.003)


def test_colours_are_near_the_ground_or_anything(rng: np.random.Generator) -> None:
    for value in (40, 128, 220):
        ground = np.full((64, 64, 3), value, np.uint8)
        near = np.array([desk(rng, ground, True).ink() for _ in range(300)])
        far = np.array([desk(rng, ground).ink() for _ in range(300)])
        away = [np.abs(inks - value / 255).mean(1) for inks in (near, far)]
        assert np.median(away[0]) < 0.16 and np.percentile(away[0], 95) < 0.3
        assert np.median(away[1]) > 1.5 * np.median(away[0]) and np.ptp(far.mean(1)) > 0.7


def test_widths_are_from_half_a_pixel_to_four_and_each_size_comes_up(rng: np.random.Generator) -> None:
    d = desk(rng, np.zeros((64, 64, 3), np.uint8))
    widths = np.concatenate([d.widths(20) for _ in range(400)])
    assert widths.min() == 0.5 and widths.max() == 4.0
    counts = np.histogram(np.log2(widths), [-1, 0, 1, 2.001])[0] / len(widths)
    assert (counts > 0.2).all()  # 0.5 to 1, 1 to 2, 2 to 4


def test_strands_are_shaded_by_their_direction(rng: np.random.Generator) -> None:
    angle = np.linspace(0, np.pi, 24, endpoint=False)
    ends = 50 + 40 * np.stack((np.cos(angle), np.sin(angle)), 1)
    s = strokes(lines(np.full((24, 2), 50.0), ends, m=3), 1.0, 1.0, WHITE * 0.5, rng, lanes=1, gloss=0.3)
    light = s.colour.mean(1)
    assert light.max() == pytest.approx(0.65, abs=0.01) and light.min() == pytest.approx(0.35, abs=0.01)
    plain = strokes(lines(np.full((24, 2), 50.0), ends, m=3), 1.0, 1.0, WHITE * 0.5, rng, gloss=0)
    assert np.ptp(plain.colour) == 0


def test_strands_curve_taper_and_cross(rng: np.random.Generator) -> None:
    """The fur of one creature: what the pieces say of themselves."""
    d = Desk(rng, 256, picture(3, (90, 120)), np.zeros((256, 256, 3), np.uint8))
    motifs.furry(d)
    fur = max((x for x in d.layers if isinstance(x, Strokes)), key=lambda x: len(x.a))
    assert fur.lanes > 1  # strands that lie over one another
    assert (fur.wb <= fur.wa + 1e-6).all() and (fur.wb < fur.wa).mean() > 0.5
    heading = np.arctan2(*(fur.b - fur.a).T[::-1])
    joined = np.isclose(fur.b[:-1], fur.a[1:], atol=1e-4).all(1)
    turn = np.abs(np.angle(np.exp(1j * np.diff(heading))))[joined]
    assert np.percentile(turn, 80) > 0.01


def test_what_the_frame_cuts_does_not_come_in_on_the_other_side() -> None:
    cut = 0
    for number in range(120):
        cover = creature(np.random.default_rng(number), 96) > 127
        edges = [cover[0].any() and cover[-1].any(), cover[:, 0].any() and cover[:, -1].any()]
        cut += any((cover[0].any(), cover[-1].any(), cover[:, 0].any(), cover[:, -1].any()))
        assert cover.any()
        if any(edges):  # then it is one thing that fills the frame, not two halves
            axis = 1 if edges[0] else 0
            assert cover.any(axis).all(), number
    assert cut > 20
    assert len(contour(creature(np.random.default_rng(1), 96), np.random.default_rng(0), 5)[0]) == 5


def test_chicken_wire_is_wired_together(rng: np.random.Generator) -> None:
    """Neighbouring lines of the hexagons share pieces of their way, and part in between."""
    from nuggy_nodes.training.meshes import _lattice

    points = _lattice(desk(rng, np.zeros((64, 64, 3), np.uint8)), 12, "hexagon")
    spacing = np.diff(points[..., 0], axis=0) / (2.6 / 12)
    assert points.shape[1] >= 8 * 12
    assert spacing.min() == pytest.approx(0, abs=1e-5) and spacing.max() == pytest.approx(2, abs=1e-5)
    together = spacing < 1e-4
    assert (together.mean(1) > 0.2).all() and not (together[:-1] & together[1:]).any()
