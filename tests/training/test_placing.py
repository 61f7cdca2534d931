"""What stands in a scene and is no subject, and where a subject stands: known where they are drawn."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from nuggy_nodes.training import clutter, draw, teacher
from nuggy_nodes.training.draw import Draws, photographs
from nuggy_nodes.training.mix import MixError, read_mix
from nuggy_nodes.training.motifs import Desk
from nuggy_nodes.training.placing import BLURRED, SHARP, SMALL, bystanders, placed, small
from nuggy_nodes.training.refiner_scenes import composite
from nuggy_nodes.training.scene import render
from nuggy_nodes.training.shapes import Body
from nuggy_nodes.training.views import see
from tests.training.samples import disc, picture

SIZE = 160


def extent(cover: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    seen = np.argwhere(cover > 127)
    return seen.min(0), seen.max(0) + 1


@pytest.mark.parametrize("share", [0.15, 0.4, 0.9])
@pytest.mark.parametrize("centre", [(0.5, 0.5), (0.3, 0.6), (0.75, 0.45)])
@pytest.mark.parametrize("flip", [False, True])
def test_a_subject_stands_where_it_is_put(share: float, centre: tuple[float, float], flip: bool) -> None:
    alpha = np.zeros((120, 200), np.uint8)
    cv2.rectangle(alpha, (20, 30), (79, 69), 255, -1)  # 60 wide, 40 high
    view = placed(alpha, share, centre, flip)
    assert view is not None
    half = share * SIZE / 2 * np.array([40 / 60, 1])
    middle = np.array(centre)[::-1] * SIZE
    low, high = extent(see(alpha, view, SIZE))
    np.testing.assert_allclose(low, (middle - half).clip(0, SIZE), atol=1.5)  # what leaves the square is cut off
    np.testing.assert_allclose(high, (middle + half).clip(0, SIZE), atol=1.5)


@pytest.mark.parametrize("edge", [np.s_[0, 50:70], np.s_[-1, 50:70], np.s_[50:70, 0], np.s_[50:70, -1]])
def test_a_subject_that_the_frame_cuts_is_not_put_elsewhere(edge: object) -> None:
    alpha = disc((120, 120))
    assert placed(alpha, 0.3, (0.5, 0.5), False) is not None
    alpha[edge] = 200
    assert placed(alpha, 0.3, (0.5, 0.5), False) is None
    assert placed(np.zeros_like(alpha), 0.3, (0.5, 0.5), False) is None


def test_a_small_subject_is_small_and_whole() -> None:
    alpha = disc((90, 130))
    for seed in range(20):
        view = small(np.random.default_rng(seed), alpha)
        assert view is not None
        low, high = extent(see(alpha, view, SIZE))
        assert (low >= 0).all() and (high <= SIZE).all()
        assert SMALL[0] * SIZE - 2 <= (high - low).max() <= SMALL[1] * SIZE + 2
        assert (high - low).max() - (high - low).min() <= 2  # a disc stays one, whatever the photograph's sides


def test_bystanders_are_smaller_than_whom_they_stand_behind() -> None:
    cover = disc((SIZE, SIZE))
    tall = float((extent(cover)[1] - extent(cover)[0]).max())
    found = 0
    for seed in range(12):
        others = [(disc((80, 100)), picture(seed, (80, 100)))] * 3
        bodies, blur = bystanders(np.random.default_rng(seed), others, cover)
        most = (BLURRED if blur > 1 * SIZE / 1024 else SHARP)[1]
        for body in bodies:
            if (body.cover > 127).any():
                low, high = extent(body.cover)
                assert (high - low).max() <= most * tall + 2
                found += 1
    assert found > 12
    assert bystanders(np.random.default_rng(0), [(disc(), picture())], np.zeros_like(cover)) == ([], 0.0)


@pytest.mark.parametrize("kind", sorted(clutter.BEHIND))
def test_each_kind_of_clutter_is_seen_and_is_no_subject(kind: str) -> None:
    """Drawn on a grey ground it shows; behind a subject the truth is the subject's alone."""
    rng = np.random.default_rng(3)
    ground = np.full((SIZE, SIZE, 3), 128, np.uint8)
    desk = Desk(rng, SIZE, picture(1, (90, 90)), ground)
    clutter.BEHIND[kind][0](desk)
    assert desk.layers
    scene = composite(np.random.default_rng(0), disc((80, 80)), picture(2, (80, 80)), ground, SIZE, 0.0)
    scene.camera, scene.ground = type(scene.camera)(), ground
    bare = render([scene], "cpu")
    scene.clutter = desk.layers
    full = render([scene], "cpu")
    torch.testing.assert_close(full.alpha, bare.alpha, atol=0, rtol=0)
    changed = (full.image - bare.image).abs().amax(1, keepdim=True)
    assert float((changed > 0.05).float().mean()) > 0.002
    assert float(changed[bare.alpha > 0.999].max()) <= 1 / 255


def test_clutter_is_as_sharp_as_the_subject_or_out_of_focus() -> None:
    ground = picture(1, (64, 64))
    blurs = [clutter.behind(np.random.default_rng(i), picture(), ground, 64)[1] * 1024 / 64 for i in range(60)]
    assert 15 <= sum(b <= 1 for b in blurs) <= 45 and all(b >= 1.5 for b in blurs if b > 1)


def test_composites_of_a_mix_get_clutter_and_bystanders(data: Path, tmp_path: Path, monkeypatch) -> None:
    from tests.training.test_parts import bright

    monkeypatch.setattr(teacher, "load", lambda *_: bright())
    monkeypatch.setattr(draw, "_cut", lambda photo, _: (disc((40, 60)), picture(len(photo.name), (40, 60))))
    text = '[[source]]\nweight = 1\nlayout = "photos"\npath = "photos"\nbackgrounds = ["photos"]\ncomposite = 1.0\n'
    made = {}
    for share in (0.0, 1.0):
        (data / "mix.toml").write_text(f"{text}clutter = {share}\n[run]\nsize = 64\n")
        mix = read_mix(data / "mix.toml")
        draws = Draws(mix, teacher.teach(photographs(mix), None, torch.device("cpu"), tmp_path / "answers"))
        made[share] = [s for s in (draws[i] for i in range(30)) if s.kind == "composite"]
    assert made[0.0] and not any(s.clutter for s in made[0.0])
    assert made[1.0] and all(s.clutter for s in made[1.0])
    assert any(not isinstance(layer, Body) for s in made[1.0] for layer in s.clutter)
    (data / "mix.toml").write_text(f"{text}clutter = 1.5\n")
    with pytest.raises(MixError, match="clutter are from 0 to 1"):
        read_mix(data / "mix.toml")


def test_a_teacher_of_its_own(data: Path, tmp_path: Path, monkeypatch) -> None:
    """`teacher` masks the photographs, `weights` are what is trained; without it they are one."""
    text = '[[source]]\nweight = 1\nlayout = "backgrounds"\npath = "photos"\n'
    for name in "ab":
        (data / f"{name}.safetensors").write_bytes(b"")
    (data / "mix.toml").write_text('weights = "a.safetensors"\nteacher = "b.safetensors"\n' + text)
    mix = read_mix(data / "mix.toml")
    assert (mix.weights, mix.teacher) == (data / "a.safetensors", data / "b.safetensors")
    (data / "mix.toml").write_text('weights = "a.safetensors"\n' + text)
    assert read_mix(data / "mix.toml").teacher == data / "a.safetensors"
    (data / "mix.toml").write_text(text)
    assert read_mix(data / "mix.toml").teacher is None
    (data / "mix.toml").write_text('teacher = "nowhere.safetensors"\n' + text)
    with pytest.raises(MixError, match="teacher: .*nowhere.safetensors: no such file"):
        read_mix(data / "mix.toml")
    (data / "mix.toml").write_text("teacher = 3\n" + text)
    with pytest.raises(MixError, match="teacher: expected str"):
        read_mix(data / "mix.toml")
