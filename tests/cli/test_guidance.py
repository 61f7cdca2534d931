"""--mask, --box, --keep, --drop, --unsure, --guidance."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from nuggy_nodes.cli import main


@pytest.fixture
def folder(tmp_path):
    """A photograph of an orange square on grey, and a mask of it that is 4 pixels too large."""
    photograph = np.full((96, 128, 3), 128, np.uint8)
    photograph[30:70, 40:90] = (230, 120, 20)
    mask = np.zeros((96, 128), np.uint8)
    mask[28:72, 38:92] = 255
    (tmp_path / "masks").mkdir()
    Image.fromarray(photograph).save(tmp_path / "a.png")
    Image.fromarray(mask).save(tmp_path / "masks" / "a.png")
    return tmp_path


def cut(folder, *options):
    """The exit status and the mask, 0..255."""
    out = folder / "out.png"
    status = main(
        ["cutout", str(folder / "a.png"), "-o", str(out), "--output", "mask", "--overwrite", *map(str, options)]
    )
    return status, np.asarray(Image.open(out)) if out.exists() else None


@pytest.fixture
def no_network(monkeypatch):
    import nuggy_nodes.core.network.weights as weights

    def load(*args, **kwargs):
        raise AssertionError("the weights are not needed")

    monkeypatch.setattr(weights, "load", load)
    monkeypatch.setattr("nuggy_nodes.core.load", load, raising=False)


def test_a_mask_is_refined_without_the_network(folder, no_network):
    status, found = cut(folder, "--mask", folder / "masks")
    truth = np.zeros((96, 128))
    truth[30:70, 40:90] = 255
    rough = np.asarray(Image.open(folder / "masks" / "a.png"))
    assert status == 0
    assert np.abs(found - truth).sum() < 0.5 * np.abs(rough - truth).sum()


def test_a_cut_outs_transparency_is_its_mask(folder, no_network):
    mask = np.asarray(Image.open(folder / "masks" / "a.png"))
    Image.fromarray(np.dstack([np.zeros((96, 128, 3), np.uint8), mask])).save(folder / "cut.png")
    assert np.array_equal(cut(folder, "--mask", folder / "cut.png")[1], cut(folder, "--mask", folder / "masks")[1])


def test_box_and_points_on_a_mask(folder, no_network):
    told = folder / "said.json"
    told.write_text(json.dumps({"photographs": {"a.png": {"drop": [[60, 50]]}}}))
    status, found = cut(folder, "--mask", folder / "masks", "--box", "0,0,128,60", "--guidance", told)
    assert status == 0 and found[50, 60] == 0 and not found[60:].any()


def test_strokes_of_a_folder(folder, no_network):
    (folder / "keep").mkdir()
    stroke = np.zeros((96, 128), np.uint8)
    stroke[5:8, 5:20] = 255
    Image.fromarray(stroke).save(folder / "keep" / "a.png")
    _, found = cut(folder, "--mask", folder / "masks", "--keep", folder / "keep")
    assert (found[5:8, 5:20] == 255).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--mask", "nowhere"), "no such file or folder"),
        (("--box", "0,0,500,5", "--mask", "masks"), "lies outside the photograph"),
        (("--mask", "small.png"), "same proportions"),
        (("--mask", "masks", "--keep", "masks", "--drop", "masks"), "both mark"),
        (("--mask", "masks", "--guidance", "bad.json"), "not JSON"),
        (("--mask", "masks", "--guidance", "odd.json"), "lists of 2 numbers"),
        (("--mask", "empty"), "no mask of this name"),
        (("--uncertainty", "5"), "give --mask too"),
    ],
)
def test_what_does_not_fit_is_refused(folder, no_network, monkeypatch, capfd, options, words):
    monkeypatch.chdir(folder)
    Image.new("L", (50, 50), 255).save("small.png")
    (folder / "bad.json").write_text("{")
    (folder / "odd.json").write_text('{"keep": [[1, 2, 3]]}')
    (folder / "empty").mkdir()
    status, found = cut(folder, *options)
    assert status != 0 and found is None
    assert words in capfd.readouterr().err


def test_each_part_in_a_file_of_its_own(folder, no_network):
    mask = np.zeros((96, 128), np.uint8)
    mask[30:70, 40:60] = mask[30:70, 70:80] = 255
    Image.fromarray(mask).save(folder / "two.png")
    status, whole = cut(folder, "--mask", folder / "two.png", "--each")
    first, second = (np.asarray(Image.open(folder / f"out-{n}.png")) for n in (1, 2))
    assert status == 0
    assert np.array_equal(first.astype(int) + second, whole)
    assert first.sum() > second.sum() > 0
