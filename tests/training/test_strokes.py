"""Training of the network that spreads strokes: problems within bounds, a user who draws
where it is wrong, runs that go on, weights that the core reads."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
import torch
from safetensors import safe_open

from nuggy_nodes.core import shipped as files
from nuggy_nodes.core.errors import NuggyError
from nuggy_nodes.core.segment.stroke_features import features
from nuggy_nodes.core.segment.stroke_network import LEARNT, MAPS, Spreader, load_spreader
from nuggy_nodes.training import strokes_loop
from nuggy_nodes.training.strokes_bank import Canvas
from nuggy_nodes.training.strokes_components import Components, components
from nuggy_nodes.training.strokes_export import KEY, export
from nuggy_nodes.training.strokes_loop import COLUMNS, Shown, StrokesTrainer, loss, problems
from nuggy_nodes.training.strokes_problem import WRONG, problem
from nuggy_nodes.training.strokes_user import LEAST, stroke


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
def basis(rng) -> Components:
    return components([rng.normal(size=(400, MAPS))])


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
