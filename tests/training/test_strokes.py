"""Training of the network that spreads strokes: canvases of known layers, problems within bounds, a user who draws
where it is wrong, runs that go on, weights that the core reads."""

from __future__ import annotations

import itertools
import json
import sys

import numpy as np
import pytest
import torch
from safetensors import safe_open

from nuggy_nodes.cli import main
from nuggy_nodes.core import shipped as files
from nuggy_nodes.core.errors import NuggyError
from nuggy_nodes.core.segment.stroke_features import features
from nuggy_nodes.core.segment.stroke_network import LEARNT, MAPS, Spreader, load_spreader
from nuggy_nodes.core.segment.strokes import GRID
from nuggy_nodes.training import strokes_bank, strokes_loop
from nuggy_nodes.training.strokes_bank import HELD_BACK, Bank, Canvas
from nuggy_nodes.training.strokes_canvas import SHAPES, Photograph, Pools, canvas
from nuggy_nodes.training.strokes_clusters import blob, cluster, segments
from nuggy_nodes.training.strokes_components import Components, components
from nuggy_nodes.training.strokes_export import KEY, export
from nuggy_nodes.training.strokes_loop import BATCH, COLUMNS, Shown, StrokesTrainer, loss, problems
from nuggy_nodes.training.strokes_matter import matter, mesh, veil
from nuggy_nodes.training.strokes_problem import WRONG, problem
from nuggy_nodes.training.strokes_user import LEAST, stroke
from tests.training.samples import disc, picture, save


def after(calls: int):
    count = itertools.count(1)
    return lambda: next(count) > calls


def drawn(number: int, shape: tuple[int, int] = (32, 48)) -> Canvas:
    """A canvas of two overlapping rectangles, a cluster and a blob."""
    rng = np.random.default_rng(number)
    height = shape[0]
    layers, part, patch = np.zeros((2, *shape), np.float32), np.zeros((1, *shape), np.float32), np.zeros(shape)
    layers[0, 4 : height - 8, 6:24], layers[1, 10:, 24:40] = 1, 1
    part[0, : height // 2, 20:30], patch[8:20, 10:36] = 1, 1
    answer = layers.max(0) * rng.uniform(0.3, 1, shape)
    return Canvas(rng.random((*shape, 3), np.float32), layers, part, np.float32(patch), np.float32(answer),
                  torch.from_numpy(rng.normal(size=(LEARNT, 4, 6))).float())  # fmt: skip


@pytest.fixture
def pools(tmp_path) -> Pools:
    """One photograph with a subject, one without one that is worth it, and a ground."""
    found = []
    for i in range(2):
        save(tmp_path / f"{i}.png", picture(i, (90, 120)))
        np.savez(tmp_path / f"{i}.npz", alpha=disc((90, 120)), colour=picture(i + 7, (90, 120)))
        found.append(Photograph(tmp_path / f"{i}.png", tmp_path / f"{i}.npz", i == 0))
    save(tmp_path / "g.png", picture(3, (90, 120)))
    return Pools(found, [tmp_path / "g.png"])


@pytest.fixture
def basis(rng) -> Components:
    return components([rng.normal(size=(400, MAPS))])


def test_layers_are_what_is_seen_of_each(pools):
    shapes = set()
    for number in range(12):
        image, layers = canvas(np.random.default_rng(number), pools)
        shapes.add(image.shape[:2])
        assert image.dtype == np.float32 and image.min() >= 0 and image.max() <= 1
        assert all(x.shape == image.shape[:2] and x.min() >= 0 for x in layers)
        assert not layers or sum(layers).max() <= 1 + 1e-5  # nothing is seen twice
    assert shapes == set(SHAPES)


@pytest.mark.parametrize("number", range(6))
def test_see_through_matter_is_never_more_than_the_subject(number):
    alpha = disc((90, 120)).astype(np.float32) / 255
    for make in (veil, mesh, matter):
        made = make(np.random.default_rng(number), alpha)
        assert made.dtype == np.float32 and made.min() >= 0 and (made <= alpha + 1e-6).all()
        assert make is matter or made.sum() < 0.95 * alpha.sum()


def test_a_cluster_is_one_piece_of_like_segments(rng):
    """Of a picture of four flat quarters it is one quarter, and within a plane no more than that."""
    image = np.zeros((64, 96, 3), np.float32)
    image[:32, 48:], image[32:, :48], image[32:, 48:] = (1, 0, 0), (0, 1, 0), (0, 0, 1)
    labels = np.repeat(np.repeat(np.arange(24).reshape(4, 6), 16, 0), 16, 1).astype(np.int32)
    within = np.zeros((64, 96), np.float32)
    within[:, :64] = 1
    for _ in range(8):
        made = cluster(rng, image, labels)
        assert made is not None and len(np.unique(image[made > 0], axis=0)) == 1
        assert len(np.unique(labels[made > 0])) >= 1 and (made[labels == labels[made > 0][0]] == 1).all()
        assert not (cluster(rng, image, labels, within)[within == 0]).any()
    assert cluster(rng, image, labels, np.zeros_like(within)) is None
    assert 0 < blob(rng, 64, 96).mean() < 0.5


def test_segments_follow_edges(rng):
    image = np.zeros((64, 96, 3), np.float32)
    image[:, 48:] = 1
    for _ in range(4):
        found = segments(rng, image)
        assert found.shape == (64, 96) and set(np.unique(found)) == set(range(found.max() + 1))
        assert not set(np.unique(found[:, :44])) & set(np.unique(found[:, 52:]))


def test_components_are_those_of_all_cells_together(rng):
    """Against the singular value decomposition of the cells; each of them varies by one."""
    cells = rng.normal(size=(600, MAPS)) * np.linspace(3, 0.1, MAPS) + 5
    found = components([cells[:100], cells[100:]])
    assert torch.allclose(found.mean, torch.from_numpy(cells.mean(0)).float(), atol=1e-5)
    axes = np.linalg.svd(cells - cells.mean(0), full_matrices=False)[2][:LEARNT]
    ours = found.basis.numpy() / np.linalg.norm(found.basis, axis=0)
    np.testing.assert_allclose(np.abs(np.sum(ours.T * axes, 1)), 1, atol=1e-4)
    shown = found.of(torch.from_numpy(cells.T.reshape(MAPS, 20, 30)).float())
    assert shown.shape == (LEARNT, 20, 30)
    torch.testing.assert_close(shown.flatten(1).std(1), torch.ones(LEARNT), atol=0.01, rtol=0)


def test_problems_are_within_bounds():
    made = [problem(np.random.default_rng(i), drawn(i % 5)) for i in range(200)]
    found = [p for p in made if p is not None]
    assert len(found) > 100
    for p in found:
        assert p.image.shape == (3, 32, 48) and p.truth.shape == p.start.shape == (32, 48)
        assert all(float(x.min()) >= 0 and float(x.max()) <= 1 for x in (p.image, p.truth, p.start))
        assert WRONG[0] < (np.abs(p.start - p.truth) > 0.5).mean() < WRONG[1]
        assert p.truth.dtype == p.start.dtype == np.float32 and p.image.dtype == torch.float32
    i = next(i for i, p in enumerate(made) if p is not None)
    assert np.array_equal(problem(np.random.default_rng(i), drawn(i % 5)).start, made[i].start)
    with pytest.raises(NuggyError, match="no stroke would be needed"):
        empty = drawn(0)
        problems(np.random.default_rng(0), [Canvas(**{**vars(empty), "layers": 0 * empty.layers,
                                                      "clusters": 0 * empty.clusters})], 1)  # fmt: skip


def test_a_mirrored_problem_is_mirrored_in_all_its_planes():
    """Problems of a canvas whose planes all are the same ramp: so they stay the same, whichever way round."""
    ramp = np.tile(np.linspace(0, 1, 48, dtype=np.float32), (32, 1))
    found = []
    for number in range(60):
        p = problem(np.random.default_rng(number), Canvas(
            np.repeat(ramp[..., None], 3, 2), ramp[None], np.zeros((0, 32, 48), np.float32), ramp, 1 - ramp,
            torch.from_numpy(np.tile(ramp, (LEARNT, 1, 1)))))  # fmt: skip
        if p is not None and np.ptp(p.truth) == 1 and torch.equal(p.image[0], p.image[1]):
            found.append(bool(p.truth[0, 0] > 0.5))
            np.testing.assert_array_equal(p.image[0], p.truth)
            np.testing.assert_array_equal(p.learnt[0], p.truth)
    assert len(set(found)) == 2  # both ways came up


def test_a_stroke_lies_inside_the_wrong_region_and_says_what_it_is():
    for number in range(120):
        rng = np.random.default_rng(number)
        p = problem(rng, drawn(number))
        said = None if p is None else stroke(p.truth, p.start, rng if number % 3 else None)
        if said is None:
            continue
        keeps, cells = said
        wrong = np.abs(p.start - p.truth) > 0.5
        assert cells.dtype == torch.bool and cells.any() and wrong[cells.numpy()].all()
        inner = p.truth[cells.numpy()]
        assert (inner > 0.5).mean() >= 0.5 if keeps else (inner <= 0.5).mean() >= 0.5


def test_a_stroke_goes_along_the_largest_region():
    truth, mask = np.zeros((60, 60), np.float32), np.zeros((60, 60), np.float32)
    y, x = np.mgrid[:60, :60]
    truth[((x - 30) / 20) ** 2 + ((y - 23) / 4) ** 2 <= 1] = 1  # a lens that lacks
    mask[40:44, 3:8] = 1  # a spot too much
    keeps, cells = stroke(truth, mask)
    rows, columns = np.nonzero(cells.numpy())
    assert keeps and set(rows) == {23} and 10 < columns.min() < 27 < 33 < columns.max() < 50
    keeps, cells = stroke(truth, np.maximum(truth, mask))
    assert not keeps and cells[40:44, 3:8].sum() == cells.sum()
    assert stroke(truth, truth) is None
    almost = truth.copy()  # regions that a user leaves alone
    almost[50, 50 : 50 + LEAST - 1] = 1
    assert stroke(truth, almost) is None
    seen = {stroke(truth, mask, np.random.default_rng(i))[0] for i in range(40)}
    assert seen == {True, False}  # now and then the second largest


def test_strokes_added_one_by_one_are_seen_as_the_core_sees_them():
    p = next(q for q in (problem(np.random.default_rng(i), drawn(i)) for i in range(20)) if q)
    planes = torch.zeros(3, 32, 48, dtype=torch.bool)
    planes[0, 5:9, 7], planes[1, 20, 30:44], planes[2, 12, 3] = True, True, True
    said = [(True, planes[0]), (False, planes[1]), (True, planes[2])]
    shown = Shown([p])
    for one in (*said, None):
        shown.add(0, one)
    assert torch.equal(shown._seen, features(p.image, torch.from_numpy(p.start), said))
    torch.testing.assert_close(shown.spread(Spreader()), shown.start.clamp(0.02, 0.98))


def test_the_loss_counts_harm_more():
    truth = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(1)).round()
    half = torch.full_like(truth, 0.5)
    better, worse = truth.lerp(half, 0.5), half + 0.2 * (half - truth)
    assert float(loss(truth, truth, half)) < 1e-3
    assert float(loss(better, truth, half)) < float(loss(half, truth, half)) < float(loss(worse, truth, half))
    more = float(loss(worse, truth, half)) - float(loss(worse, truth, worse))
    assert more == pytest.approx(1.5 * 0.1, abs=1e-5)


@pytest.mark.slow
def test_a_run_goes_on_bit_for_bit_and_ends_as_the_core_reads_it(tmp_path, monkeypatch, basis):
    monkeypatch.setattr(strokes_loop, "BATCH", 2)
    monkeypatch.setattr(strokes_loop, "MEASURED", 3)
    train, held = [drawn(i, (32, 48) if i % 2 else (48, 48)) for i in range(4)], [drawn(9)]
    found = []
    for name, stops in (("once", (4,)), ("twice", (2, 4))):
        (tmp_path / name).mkdir()
        for calls in stops:
            trainer = StrokesTrainer(train, held, basis, tmp_path / name, 4)
            assert trainer.train(after(calls - trainer.step)) == (calls == 4)
        found.append(trainer)
    one, other = (t.average for t in found)
    assert all(torch.equal(one[k], other[k]) for k in one)
    assert float(one["out.weight"].abs().sum()) > 0 and torch.equal(one["basis"], basis.basis)
    assert (tmp_path / "once/strokes.csv").read_text() == (tmp_path / "twice/strokes.csv").read_text()
    with pytest.raises(NuggyError, match="another run"):
        StrokesTrainer(train, held, basis, tmp_path / "once", 5)

    path = export(found[0])
    monkeypatch.setattr(files, "shipped", lambda name: tmp_path / "once" / name)
    load_spreader.cache_clear()
    try:
        read = load_spreader().state_dict()
    finally:
        load_spreader.cache_clear()
    assert all(torch.equal(read[k], one[k].half().float()) for k in one) and set(read) == set(one)
    with safe_open(path, "pt") as f:
        facts = json.loads(f.metadata()[KEY])
    assert facts["step"] == 4 and facts["canvases"] == 4 and set(COLUMNS) <= set(facts)


class Answers:
    """Stands for the segmentation network: brightness is subject; its maps are brightness too."""


@pytest.fixture
def asked(monkeypatch) -> Answers:
    def predict(_, shown, views):
        return torch.nn.functional.interpolate(shown.mean(1, keepdim=True), (64, 64), mode="area")

    def maps(_, shown):
        small = torch.nn.functional.interpolate(shown.mean(1, keepdim=True), (32, 32), mode="area")
        return small * torch.linspace(-1, 1, MAPS)[None, :, None, None]

    monkeypatch.setattr(strokes_bank, "predict", predict)
    monkeypatch.setattr(strokes_bank, "maps", maps)
    return Answers()


@pytest.fixture
def banks(tmp_path):
    for i in range(3):
        save(tmp_path / f"photos/{i}.png", picture(i, (90, 120)))
        save(tmp_path / f"grounds/{i}.png", picture(i + 5, (90, 120)))
    made = []
    for name in ("a", "b"):
        (tmp_path / name / "subjects").mkdir(parents=True)
        for i in range(3):
            np.savez(tmp_path / name / f"subjects/{i}.npz", alpha=disc((90, 120)), colour=picture(i, (90, 120)))
        made.append(Bank(tmp_path / "photos", tmp_path / "grounds", tmp_path / name, seed=4))
    return made


def test_canvases_are_made_once_and_by_number(banks, asked):
    one, other = banks
    seen: list[tuple[int, int]] = []
    assert one.fill(4, asked, lambda *told: seen.append(told))
    assert not other.fill(4, asked, lambda *_: None, after(2))
    assert [p.name for p in sorted((other.folder / "canvases").iterdir())] == ["00000.npz", "00001.npz"]
    assert other.fill(4, asked, lambda *_: None)
    for number in range(4):
        assert one.path(number).read_bytes() == other.path(number).read_bytes()
    assert seen[-1] == (6, 7)
    basis = one.components(4)
    train, held = (one.read(4, side, basis) for side in (False, True))
    assert (len(train), len(held)) == (3, 1)
    for made in (*train, *held):
        assert made.image.shape == (*made.blob.shape, 3) and max(made.blob.shape) == GRID
        assert made.layers.shape[1:] == made.clusters.shape[1:] == made.answer.shape == made.blob.shape
        assert made.learnt.shape == (LEARNT, 32, 32) and float(made.layers.sum(0).max()) <= 1 + 4 / 255
        assert np.abs(made.answer - made.image.mean(2)).mean() < 0.03
    assert len(problems(np.random.default_rng(1), train, BATCH)) == BATCH


def test_what_is_held_back_is_of_other_photographs(banks, asked, monkeypatch):
    """Canvas and pools of each number, as `fill` hands them on."""
    given = {}

    def made(self, number, pools, network):
        given[number] = pools
        return {"image": np.zeros((1, 1, 3), np.uint8)}

    monkeypatch.setattr(Bank, "_made", made)
    banks[0].fill(HELD_BACK + 2, asked, lambda *_: None)
    names = {n: {x.path.name for x in p.photographs} | {"g" + x.name for x in p.grounds} for n, p in given.items()}
    assert names[0] == names[HELD_BACK] == {"0.png", "g0.png"}
    assert all(names[n] == {"1.png", "2.png", "g1.png", "g2.png"} for n in names if n % HELD_BACK)


def test_too_few_photographs_are_told(banks, asked):
    banks[0].photos = banks[0].photos[:1]
    with pytest.raises(NuggyError, match="give more"):
        banks[0].fill(2, asked, lambda *_: None)


def test_without_scikit_image_the_extra_is_named(banks, monkeypatch, capsys):
    for name in ("bank", "clusters"):
        monkeypatch.delitem(sys.modules, f"nuggy_nodes.training.strokes_{name}")
    monkeypatch.setitem(sys.modules, "skimage.segmentation", None)
    folder = banks[0].folder.parent
    given = [str(folder / n) for n in ("photos", "grounds", "a")]
    assert main(["train", "strokes", "--photos", given[0], "--backgrounds", given[1], "-o", given[2]]) != 0
    assert "pip install 'nuggy-nodes[train]'" in capsys.readouterr().err
