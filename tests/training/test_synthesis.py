"""Drawn alpha against other ways of reaching it: the test set's canvas, a fine grid, sums that must be kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.thin_canvas import Canvas
from nuggy_nodes.training import drawn, growths, motifs
from nuggy_nodes.training.camera import Camera, draw_camera, expose, focus
from nuggy_nodes.training.raster import paint
from nuggy_nodes.training.scene import Scene, render
from nuggy_nodes.training.shapes import contour, fill, oval
from nuggy_nodes.training.strands import PIECE, Strokes, Warp, curves, lines, strokes
from tests.training.samples import picture

CPU = torch.device("cpu")
WHITE = np.ones(3, np.float32)


def one_cover(s: Strokes, size: int = 96) -> np.ndarray:
    ((cover, _),) = paint(s, size, size, CPU)
    return cover[0].numpy()


@pytest.mark.parametrize("width", [0.5, 1.0, 1.7, 3.0, 4.6])
def test_coverage_is_that_of_the_other_renderer(rng: np.random.Generator, width: float) -> None:
    points = curves(np.array([[20.0, 30.0]]), np.array([0.7]), np.array([120.0]), np.array([2.0]), m=30)
    s = strokes(points, width, width, WHITE, rng, lanes=1, gloss=0)
    canvas = Canvas(np.zeros((96, 96, 3), np.float32), rng)
    canvas.stroke(np.concatenate((points[0, :1], s.b)), width, WHITE)
    ours = one_cover(s)
    assert np.abs(ours - canvas.alpha).max() < 0.2  # a box across the line there, the pixel's square here
    assert ours.sum() == pytest.approx(canvas.alpha.sum(), rel=0.05)


@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 4, 1.2])
@pytest.mark.parametrize("width", [0.5, 1.0, 2.5, 4.0])
def test_a_straight_line_covers_its_area(rng: np.random.Generator, width: float, angle: float) -> None:
    d = np.array([np.cos(angle), np.sin(angle)]) * 30
    s = strokes(lines((48 - d)[None], (48 + d)[None]), width, width, WHITE, rng, lanes=1)
    caps = np.pi * width**2 / 4
    assert one_cover(s).sum() == pytest.approx(60 * width + caps, rel=0.02)


def test_coverage_against_a_fine_grid(rng: np.random.Generator) -> None:
    """The area of each pixel inside the band, counted on 16x16 points."""
    fine = (np.arange(96 * 16) + 0.5) / 16 - 0.5
    for x0, x1 in ((40.3, 40.3), (30.2, 61.7), (-9.0, 105.0), (-20.0, 140.0)):
        s = strokes(lines(np.array([[x0, -9.0]]), np.array([[x1, 105.0]])), 2.6, 2.6, WHITE, rng, lanes=1)
        d = np.array([x1 - x0, 114.0]) / np.hypot(x1 - x0, 114.0)
        away = abs((fine[None] - x0) * d[1] - (fine[:, None] + 9) * d[0])
        truth = (away <= 1.3).reshape(96, 16, 96, 16).mean((1, 3))
        assert np.abs(one_cover(s) - truth).max() < 1 / 24


def test_tapering_pieces_off_the_frame_and_no_pieces(rng: np.random.Generator) -> None:
    s = strokes(lines(np.array([[10.0, 48.0]]), np.array([[90.0, 48.0]])), 4.0, 0.5, WHITE, rng, lanes=1)
    columns = one_cover(s).sum(0)[15:85]
    assert np.all(np.diff(columns) <= 1e-4)
    assert columns[0] == pytest.approx(3.8, abs=0.1) and columns[-1] == pytest.approx(0.7, abs=0.1)
    far = strokes(lines(np.array([[-50.0, -50.0]]), np.array([[-20.0, 300.0]])), 2.0, 2.0, WHITE, rng, lanes=1)
    assert one_cover(far).sum() == 0
    assert not list(paint(s.only(np.zeros(len(s.a), bool)), 9, 9, CPU))
    assert np.hypot(*(s.b - s.a).T).max() <= PIECE + 1e-4


def test_more_pieces_than_a_chunk_and_their_colours(rng: np.random.Generator) -> None:
    n = 1200
    start = rng.uniform(0, 96, (n, 2))
    s = strokes(lines(start, start + 40, m=20), 1.0, 1.0, rng.random((n, 3)), rng, lanes=3, gloss=0)
    assert len(s.a) > 2 * 8192
    for i, (cover, colour) in enumerate(paint(s, 96, 96, CPU)):
        own = s.only(s.lane == i)
        again = Strokes(own.a, own.b, own.wa, own.wb, own.colour, np.zeros_like(own.lane))
        ((alone, theirs),) = paint(again, 96, 96, CPU)
        assert torch.equal(cover, alone)
        assert torch.allclose(colour * cover, theirs * cover)


@pytest.mark.parametrize("radius", [3.3, 20.0])
def test_a_filled_disc_has_its_area_and_a_hole_is_none(radius: float) -> None:
    disc = oval() * radius + 40.25
    area = 0.5 * abs((disc * np.roll(disc, -1, 0)[:, ::-1] * (1, -1)).sum())
    assert fill(96, [disc]).sum() / 255 == pytest.approx(area, rel=0.06 if radius < 5 else 0.01)
    ring = fill(96, [disc, oval() * radius * 0.5 + 40.25])
    assert ring[40, 40] == 0 and ring.sum() == pytest.approx(0.75 * fill(96, [disc]).sum(), rel=0.05)
    assert fill(96, [disc + 500]).sum() == 0


def test_a_contour_points_outward(rng: np.random.Generator) -> None:
    cover = fill(128, [oval() * 30 + 64])
    at, out = contour(cover, rng, 200)
    radial = np.arctan2(*(at - 64).T[::-1])
    assert np.abs(np.angle(np.exp(1j * (out - radial)))).max() < 0.2
    none = contour(np.zeros((128, 128), np.uint8), rng, 5)
    assert len(none[0]) == len(none[1]) == 0


def test_focus_keeps_the_light_and_colour_beside_alpha(rng: np.random.Generator) -> None:
    planes = torch.zeros(1, 4, 64, 64)
    planes[:, :, 20:44, 30:33] = torch.tensor([0.2, 0.4, 0.6, 1.0]).view(1, 4, 1, 1)
    for camera in (Camera(blur=1.7), Camera(move=(7.0, 0.9)), Camera(blur=0.6, move=(4.0, 2.0))):
        seen = focus(planes, camera)
        assert torch.allclose(seen.sum((2, 3)), planes.sum((2, 3)), rtol=1e-3)
        inside = seen[:, 3] > 1e-3
        assert torch.allclose(seen[0, 1][inside[0]] / seen[0, 3][inside[0]], torch.tensor(0.4), atol=1e-3)
        assert seen[0, 3].max() < 1 if camera.blur else True


def test_movement_is_along_its_direction() -> None:
    dot = torch.zeros(1, 1, 41, 41)
    dot[..., 20, 20] = 1
    for direction in (0.0, np.pi / 2, 0.6):
        y, x = np.mgrid[:41, :41] - 20.0
        w = focus(dot, Camera(move=(9.0, direction)))[0, 0].numpy()
        spread = [(w * (x * np.cos(a) + y * np.sin(a)) ** 2).sum() for a in (direction, direction + np.pi / 2)]
        assert spread[0] == pytest.approx(81 / 12, rel=0.25) and spread[1] < 0.4


@pytest.mark.parametrize("kind", list(drawn.MOTIFS))
def test_every_motif_paints_by_its_alpha(kind: str) -> None:
    """The same scene over black and over white: what differs is 1 - alpha, at every pixel."""
    for number in range(3):
        seen = []
        for light in (0, 255):
            rng = np.random.default_rng(number)
            scene = drawn.drawn(rng, picture(1, (200, 260)), picture(2, (200, 260)), 128, kind)
            scene.ground, scene.clutter = np.full_like(scene.ground, light), ()
            scene.camera = Camera(blur=scene.camera.blur, move=scene.camera.move)
            seen.append(render([scene], "cpu"))
        alpha = seen[0].alpha
        assert torch.equal(alpha, seen[1].alpha)
        assert 0.002 < float(alpha.mean()) < 0.98, f"{kind} {number}"
        assert float(alpha.min()) >= 0 and float(alpha.max()) <= 1 + 1e-5
        assert (seen[1].image - seen[0].image - (1 - alpha)).abs().max() < 1.01 / 255
        assert bool((seen[0].trust == 1).all())


def test_a_scene_depends_on_its_number_alone_and_numbers_differ() -> None:
    def one(number: int) -> torch.Tensor:
        rng = np.random.default_rng((5, number))
        return render([drawn.drawn(rng, picture(1, (200, 260)), picture(2), 96)], "cpu").image

    assert torch.equal(one(3), one(3))
    assert not torch.equal(one(3), one(4))


def test_clutter_is_no_subject(rng: np.random.Generator) -> None:
    desk = motifs.Desk(rng, 96, picture(), np.zeros((96, 96, 3), np.uint8))
    growths.grass(desk)
    plane = np.zeros((96, 96), np.uint8)
    scene = Scene(np.zeros((96, 96, 3), np.uint8), plane, plane + 255, clutter=desk.layers, clutter_blur=1.0)
    batch = render([scene], "cpu")
    assert batch.alpha.sum() == 0 and batch.image.sum() > 0


def test_hair_on_a_photograph_adds_to_what_its_teacher_said(rng: np.random.Generator) -> None:
    cover = fill(128, [oval() * 30 + 64])
    trust = np.full((128, 128), 100, np.uint8)
    trust[cover > 0] = 255
    scene = Scene(picture(3, (128, 128)), cover, trust)
    before = render([scene], "cpu")
    after = render([drawn.adorned(rng, Scene(scene.ground, cover, trust))], "cpu")
    assert after.kinds == ["adorned"]
    assert (after.alpha >= before.alpha - 1e-6).all() and (after.trust >= before.trust - 1e-6).all()
    assert float((after.alpha - before.alpha).sum()) > 10


def test_exposure_is_repeatable_stays_in_range_and_leaves_alpha_alone(rng: np.random.Generator) -> None:
    image = torch.from_numpy(picture(1, (64, 80))).permute(2, 0, 1)[None] / 255
    for _ in range(20):
        camera = draw_camera(rng)
        out = expose(image, camera)
        assert torch.equal(out, expose(image, camera))
        assert out.shape == image.shape and float(out.min()) >= 0 and float(out.max()) <= 1
        assert torch.equal((out * 255).round() / 255, out)
    assert torch.equal(expose(image, Camera()), image)


def test_a_warp_is_a_plane_in_space(rng: np.random.Generator) -> None:
    """Without perspective and wave it is a similarity with stretch: parallels stay parallel."""
    warp = Warp(rng, np.array([50.0, 60.0]), 20.0, strength=0.0)
    assert np.allclose(warp(np.zeros(2)), (50, 60))
    a, b = warp(np.array([[0.0, 0], [1, 0]])), warp(np.array([[0.0, 1], [1, 1]]))
    assert np.allclose(a[1] - a[0], b[1] - b[0], atol=1e-4)
    assert abs(np.linalg.det(np.stack((a[1] - a[0], b[0] - a[0])))) == pytest.approx(400, rel=1e-4)
