"""Training of the learned refinement: scenes of known truth, windows that are believed or not, runs that go on."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from nuggy_nodes.core import recipe
from nuggy_nodes.core.errors import NuggyError
from nuggy_nodes.core.refine.refine import refine
from nuggy_nodes.training import refiner_bank, refiner_loop
from nuggy_nodes.training.refiner_answers import WINDOW, Windows, imagined, windows
from nuggy_nodes.training.refiner_bank import Bank
from nuggy_nodes.training.refiner_closeups import KINDS, closeup
from nuggy_nodes.training.refiner_loop import RefinerTrainer
from nuggy_nodes.training.refiner_loss import RIM, loss
from nuggy_nodes.training.refiner_scenes import composite
from nuggy_nodes.training.scene import Scene, render
from nuggy_nodes.training.strands import Sheer, strokes
from tests.training.samples import picture, save


def disc(size: int = 256, radius: float = 80) -> np.ndarray:
    """[size,size] uint8: a disc with an edge of one pixel."""
    y, x = np.mgrid[:size, :size] - size / 2 + 0.5
    return np.uint8(255 * np.clip(radius - np.hypot(y, x) + 0.5, 0, 1))


def after(calls: int):
    count = itertools.count(1)
    return lambda: next(count) > calls


def random_windows(rng: np.random.Generator, n: int = 12) -> Windows:
    planes = [rng.integers(0, 256, (n, WINDOW, WINDOW), dtype=np.uint8) for _ in range(5)]
    return Windows(rng.integers(0, 256, (n, WINDOW, WINDOW, 3), dtype=np.uint8), *planes)


def test_sheer_strands_cover_their_share(rng):
    line = np.array([[[10.0, 32.0], [54.0, 32.0]]], np.float32)
    hair = strokes(line, 3.0, 1.0, np.float32([[0.2, 0.4, 0.9]]), rng)
    none = np.zeros((64, 64), np.uint8)
    ground = np.full((64, 64, 3), 255, np.uint8)
    whole, half = (render([Scene(ground, none, none + 255, [layer])], "cpu") for layer in (hair, Sheer(hair, 0.5)))
    assert whole.alpha.max() == 1
    torch.testing.assert_close(half.alpha, whole.alpha / 2)
    torch.testing.assert_close(half.image, (whole.image + 1) / 2, atol=2 / 255, rtol=0)


def test_a_composite_holds_its_truth(rng):
    """Over a black and a white ground the same scene differs by 1 - alpha, whatever was drawn on it."""
    scene = composite(rng, disc(), picture(3, (256, 256)), picture(5, (256, 256)), 256)
    scene.camera = type(scene.camera)()  # no noise, light or JPEG
    pictures = []
    for value in (0, 255):
        scene.ground = np.full((256, 256, 3), value, np.uint8)
        pictures.append(render([scene], "cpu"))
    difference = (pictures[1].image - pictures[0].image).mean(1, keepdim=True)
    torch.testing.assert_close(1 - difference, pictures[0].alpha, atol=0.02, rtol=0)
    assert 0.02 < float(pictures[0].alpha.mean()) < 0.95


@pytest.mark.parametrize("number", range(12))
def test_a_close_up_holds_its_truth(number):
    """As above; and it is of a kind that was asked for, with an edge in it."""
    scene = closeup(np.random.default_rng(number), picture(5, (400, 300)), picture(7, (300, 500)))
    scene.camera, scene.clutter = type(scene.camera)(), ()
    pictures = []
    for value in (0, 255):
        scene.ground = np.full_like(scene.ground, value)
        pictures.append(render([scene], "cpu"))
    difference = (pictures[1].image - pictures[0].image).mean(1, keepdim=True)
    torch.testing.assert_close(1 - difference, pictures[0].alpha, atol=0.02, rtol=0)
    assert scene.kind in KINDS and 0 < float(pictures[0].alpha.mean()) < 1


def test_an_imagined_answer_is_of_the_networks_kind(rng):
    truth = torch.from_numpy(disc(448, 120))[None, None].float() / 255
    for _ in range(20):
        coarse = imagined(truth, rng)
        assert coarse.shape[-1] == coarse.shape[-2] and 24 <= coarse.shape[-1] < 900
        assert float(coarse.min()) >= 0 and float(coarse.max()) <= 1
        near = torch.nn.functional.interpolate(coarse, (448, 448), mode="bilinear")
        assert float((near - truth).abs().mean()) < 0.35
    assert float((near - truth).abs().mean()) > 0  # it is not the truth itself


@pytest.mark.slow
def test_windows_where_another_subject_was_found_are_not_believed(rng):
    image = torch.rand(1, 3, 640, 640, generator=torch.Generator().manual_seed(1))
    truth = torch.from_numpy(disc(640, 200))[None, None].float() / 255
    blurred = torch.nn.functional.avg_pool2d(truth, 5, 1, 2)
    used = recipe("balanced")
    right = windows(image, truth, blurred, used, rng, 8)
    assert len(right.image) == 8 and right.image.shape[1:] == (WINDOW, WINDOW, 3)
    assert right.believed.mean() > 240
    whole = (255 * refine(image, blurred, **used.part("edge"))[0, 0]).round().numpy()
    first = right.filtered[0].astype(float)
    places = [
        (y, x) for y in range(481) for x in range(481) if abs(whole[y, x] - first[0, 0]) < 0.5
        and np.abs(whole[y : y + WINDOW, x : x + WINDOW] - first).max() <= 1
    ]  # fmt: skip
    assert places  # a part of what refine gives, untouched

    wrong = windows(image, truth, 1 - blurred, used, rng, 200)
    assert not len(wrong.image) or wrong.believed.mean() < 128


def test_the_loss_asks_for_the_truth_or_for_no_change():
    gen = torch.Generator().manual_seed(2)
    alpha, before = torch.rand(2, 1, 64, 64, generator=gen), torch.rand(2, 1, 64, 64, generator=gen)
    sure, none = torch.ones_like(alpha), torch.zeros_like(alpha)
    assert float(loss(alpha, alpha, before, sure)) == 0
    assert float(loss(before, alpha, before, none)) == 0
    assert float(loss(before, alpha, before, sure)) > 0.1
    rim = alpha.clone()
    rim[..., :RIM, :] = 0.5
    assert float(loss(rim, alpha, before, sure)) == 0  # the border is not judged
    constant = float(loss(torch.full_like(alpha, 0.5), torch.full_like(alpha, 0.25), before, sure))
    inner = ((64 - 2 * RIM) / 64) ** 2
    assert constant > (0.8 * 0.25 + 2.5 * 0.0625) * inner  # and the steps at the rim on top


def test_a_run_goes_on_bit_for_bit(tmp_path, rng):
    train, held = random_windows(rng), random_windows(rng, 3)
    found = []
    for name, stops in (("once", (4,)), ("twice", (2, 4))):
        (tmp_path / name).mkdir()
        for calls in stops:
            trainer = RefinerTrainer(train, held, tmp_path / name, 4)
            assert trainer.train(after(calls - trainer.step)) == (calls == 4)
        found.append(trainer.average)
    assert all(torch.equal(found[0][k], found[1][k]) for k in found[0])
    assert any(float(v.abs().sum()) > 0 for k, v in found[0].items() if k.startswith("out."))
    with pytest.raises(NuggyError, match="another run"):
        RefinerTrainer(train, held, tmp_path / "once", 5)


@pytest.mark.slow
def test_scenes_are_made_once_and_by_number(tmp_path, monkeypatch):
    monkeypatch.setattr(refiner_bank, "ASKED", 0)
    monkeypatch.setattr(refiner_bank, "SIZES", (320,))
    monkeypatch.setattr(refiner_bank, "A_SCENE", 3)
    monkeypatch.setattr(refiner_bank, "CLOSEUPS", 1)
    for i in range(2):
        save(tmp_path / f"photos/{i}.png", picture(i, (300, 300)))
        save(tmp_path / f"grounds/{i}.png", picture(i + 5, (300, 300)))
    banks = []
    for name in ("a", "b"):
        folder = tmp_path / name
        (folder / "subjects").mkdir(parents=True)
        for i in range(2):
            np.savez(folder / f"subjects/{i}.npz", alpha=disc(300, 90), colour=picture(i, (300, 300)))
        banks.append(Bank(tmp_path / "photos", tmp_path / "grounds", folder, seed=4))
    seen: list[tuple[str, int, int]] = []
    network: object = None  # nothing asks it
    assert banks[0].fill(5, network, lambda *told: seen.append(told))
    assert not banks[1].fill(5, network, lambda *_: None, after(2))
    assert [p.name for p in sorted((tmp_path / "b/windows").iterdir())] == ["scene-00000.npz", "scene-00001.npz"]
    assert banks[1].fill(5, network, lambda *_: None)
    one, other = (bank.read(5, False) for bank in banks)
    assert all(np.array_equal(a, b) for a, b in zip(vars(one).values(), vars(other).values()))
    assert seen[-1][:2] == ("scenes", 9)
    assert len(banks[0].read(5, True).image) <= 3 + refiner_bank.A_CLOSEUP  # scene 0 and close-up 0 alone are held back
    with pytest.raises(NuggyError, match="no such folder"):
        Bank(tmp_path / "nothing", tmp_path / "grounds", tmp_path)


def test_batches_are_by_the_step_alone(rng):
    made = random_windows(rng)
    one, two = (refiner_loop.drawn_batch(made, np.random.default_rng((0, 1, 7))) for _ in range(2))
    assert all(torch.equal(one[k], two[k]) for k in one)
    assert one["image"].shape == (refiner_loop.BATCH, 3, refiner_loop.SIDE, refiner_loop.SIDE)
    assert not torch.equal(one["alpha"], refiner_loop.drawn_batch(made, np.random.default_rng((0, 1, 8)))["alpha"])
