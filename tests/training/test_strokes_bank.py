"""Canvases for the training of strokes: their layers, parts of like colours, made once and by number."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest
import torch

from nuggy_nodes.cli import main
from nuggy_nodes.core.errors import NuggyError
from nuggy_nodes.core.segment.stroke_network import LEARNT, MAPS
from nuggy_nodes.core.segment.strokes import GRID
from nuggy_nodes.training import strokes_bank
from nuggy_nodes.training.strokes_bank import HELD_BACK, Bank
from nuggy_nodes.training.strokes_canvas import SHAPES, Photograph, Pools, canvas
from nuggy_nodes.training.strokes_clusters import blob, cluster, segments
from nuggy_nodes.training.strokes_components import components
from nuggy_nodes.training.strokes_loop import BATCH, problems
from nuggy_nodes.training.strokes_matter import matter, mesh, veil
from tests.training.samples import disc, picture, save


def after(calls: int):
    count = itertools.count(1)
    return lambda: next(count) > calls


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
