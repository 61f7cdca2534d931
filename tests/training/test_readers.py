"""The published layouts, whole and broken; the mix file; the report."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from nuggy_nodes.cli import main
from nuggy_nodes.training.check import check
from nuggy_nodes.training.layouts import pairs
from nuggy_nodes.training.mix import MixError, Source, read_mix
from tests.training.samples import SIZE, disc, picture, save


def mix_file(folder: Path, text: str) -> Path:
    path = folder / "mix.toml"
    path.write_text(text)
    return path


def one(folder: Path, layout: str, path: str, more: str = "") -> Path:
    return mix_file(folder, f'[[source]]\nlayout = "{layout}"\npath = "{path}"\nweight = 1\n{more}')


@pytest.mark.parametrize(
    ("layout", "path", "split", "names"),
    [
        ("dis5k", "DIS5K", "train", ["1#a#0", "1#a#1", "1#a#2"]),
        ("dis5k", "DIS5K/DIS-TR", "train", ["1#a#0", "1#a#1", "1#a#2"]),
        ("am2k", "AM-2k", "train", ["m_0", "m_1", "m_2"]),
        ("am2k", "AM-2k", "val", ["m_v0", "m_v1", "m_v2"]),
        ("thinobject5k", "ThinObject5K", "train", ["t0", "t2"]),
        ("thinobject5k", "ThinObject5K", "test", ["t1"]),
        ("folder", "own", "train", ["0", "1", "2"]),
    ],
)
def test_layouts(data: Path, layout: str, path: str, split: str, names: list[str]) -> None:
    found, problems = pairs(Source(layout, 1.0, data / path, split))
    assert [p.image.stem for p in found] == [p.alpha.stem for p in found] == names
    assert not problems
    assert all((p.foreground is not None) == (layout == "am2k" and split == "train") for p in found)
    assert all((p.trimap is not None) == (layout == "am2k" and split == "val") for p in found)


@pytest.mark.parametrize("layout", ["dis5k", "am2k", "thinobject5k", "folder"])
def test_another_layout_is_refused_by_name(data: Path, layout: str) -> None:
    with pytest.raises(MixError, match="photos"):
        pairs(Source(layout, 1.0, data / "photos"))


def test_a_whole_mix_has_no_problem(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n".join(
        f'[[source]]\nlayout = "{layout}"\npath = "{path}"\nweight = 1\n{more}'
        for layout, path, more in (
            ("dis5k", "DIS5K", ""),
            ("am2k", "AM-2k", 'backgrounds = ["BG-20k/train"]\ncomposite = 0.5'),
            ("thinobject5k", "ThinObject5K", ""),
            ("folder", "own", ""),
            ("photos", "photos", ""),
        )
    )
    assert main(["train", "check", str(mix_file(data, text))]) == 0
    out = capsys.readouterr().out
    assert out.count("0 problems") == 5
    assert "6 usable" in out and "2 usable" in out  # AM-2k's three with three backgrounds; the two of the list


def test_every_kind_of_damage_is_named(data: Path) -> None:
    folder = data / "DIS5K/DIS-TR"
    (folder / "gt/1#a#0.png").unlink()
    save(folder / "im/cut.jpg", picture())
    whole = (folder / "im/cut.jpg").read_bytes()
    (folder / "im/cut.jpg").write_bytes(whole[: len(whole) // 2])
    save(folder / "gt/cut.png", disc())
    save(folder / "im/small.jpg", picture())
    save(folder / "gt/small.png", disc((20, 30)))
    save(folder / "im/black.jpg", picture())
    save(folder / "gt/black.png", np.zeros(SIZE, np.uint8))
    save(folder / "gt/alone.png", disc())
    (folder / "im/text.jpg").write_text("not a picture")
    save(folder / "gt/text.png", disc())
    save(folder / "im/tiny.jpg", picture(size=(8, 9)))
    save(folder / "gt/tiny.png", disc((8, 9)))
    (report,) = check(read_mix(one(data, "dis5k", "DIS5K")))
    found = {p.path.name: p.what for p in report.problems}
    assert report.usable == 2
    assert set(found) == {"1#a#0.jpg", "cut.jpg", "small.png", "black.png", "alone.png", "text.jpg", "tiny.jpg"}
    assert "damaged" in found["cut.jpg"] and "30x20" in found["small.png"] and "64x48" in found["small.png"]
    assert "is no JPEG picture" in found["text.jpg"] and "0 throughout" in found["black.png"]


def test_the_seeds_mix_reads_the_published_layouts_as_they_are(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """mixes/seed.toml as shipped: checked whole, then drawn from: plain pairs, and AM-2k over other backgrounds."""
    import nuggy_nodes.training as here
    from nuggy_nodes.training.draw import Draws

    seed = Path(here.__file__).parent / "mixes/seed.toml"
    assert main(["train", "check", str(seed), "--data", str(data)]) == 0
    assert capsys.readouterr().out.count("0 problems") == 3
    draws = Draws(read_mix(seed, data), {}, size=64)
    kinds = [draws[i].kind for i in range(80)]
    assert 2 <= kinds.count("composite") <= 25 and kinds.count("pair") == 80 - kinds.count("composite")


def test_am2ks_own_backgrounds_serve_its_foregrounds(data: Path) -> None:
    from nuggy_nodes.training.draw import Draws

    mix = read_mix(one(data, "am2k", "AM-2k", 'backgrounds = ["AM-2k/train/bg"]\ncomposite = 1.0'))
    (report,) = check(mix)
    assert not report.problems and report.usable == 6
    draws = Draws(mix, {}, size=64)
    for i in range(6):
        scene = draws[i]
        assert scene.kind == "composite" and not scene.truth.any()
        assert np.array_equal(np.unique(scene.ground), [90])  # the one colour of those backgrounds


def test_what_a_list_names_must_be_there(data: Path) -> None:
    (data / "ThinObject5K/images/t0.jpg").unlink()
    (report,) = check(read_mix(one(data, "thinobject5k", "ThinObject5K")))
    assert report.usable == 1
    assert [p.path.name for p in report.problems] == ["t0.jpg"]


def test_names_with_spaces_stand_a_line_each(data: Path) -> None:
    save(data / "ThinObject5K/images/a wire fence.jpg", picture())
    save(data / "ThinObject5K/masks/a wire fence.png", disc())
    (data / "ThinObject5K/list/train.txt").write_text("t0.png\r\na wire fence.png\n\n")
    found, problems = pairs(Source("thinobject5k", 1.0, data / "ThinObject5K"))
    assert [p.image.name for p in found] == ["t0.jpg", "a wire fence.jpg"] and not problems


def test_what_measures_is_opened_too(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = '[evaluate]\nevery = 5\ndev = "DIS5K"\n'
    assert main(["train", "check", str(one(data, "folder", "own", more))]) == 1
    said = capsys.readouterr().out
    assert "[evaluate] dev, for measuring only: 0 usable" in said and "no such folder" in said
    assert main(["train", "check", str(one(data, "folder", "own", more.replace("every = 5", "every = 0")))]) == 0
    assert main(["train", "check", str(one(data, "folder", "own", more.replace("DIS5K", "later")))]) == 0
    assert "later is not there; a run needs it" in capsys.readouterr().out
    path = one(data, "folder", "own", more.replace("DIS5K", "later"))
    assert main(["train", "run", str(path), "-o", str(data / "run"), "--device", "cpu"]) == 1
    assert "measuring needs image/ and alpha/ there" in capsys.readouterr().err


def test_a_trimap_may_not_contradict_its_alpha(data: Path) -> None:
    save(data / "AM-2k/validation/trimap/m_v1.png", 255 - disc())
    (report,) = check(read_mix(one(data, "am2k", "AM-2k", 'split = "val"')))
    assert [p.path.name for p in report.problems] == ["m_v1.png"]
    assert "contradicts" in report.problems[0].what


def test_check_says_no_with_its_exit_status(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = mix_file(data, '[[source]]\nlayout = "photos"\npath = "nowhere"\nweight = 1\n')
    assert main(["train", "check", str(path)]) == 1
    assert "nowhere: no such folder" in capsys.readouterr().out


def test_alphas_of_cut_outs_and_opaque_masks(data: Path) -> None:
    from nuggy_nodes.training.files import plane

    four = np.dstack([picture(), disc()])
    assert cv2.imwrite(str(data / "cut.png"), four)
    assert np.array_equal(plane(data / "cut.png"), disc())
    opaque = np.dstack([disc()] * 3 + [np.full(SIZE, 255, np.uint8)])
    assert cv2.imwrite(str(data / "opaque.png"), opaque)
    assert np.array_equal(plane(data / "opaque.png"), disc())
    assert np.array_equal(plane(data / "own/alpha/0.png"), disc())  # 16 bits


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[source]\n", "not TOML"),
        ("", "at least one"),
        ("epochs = 3", "unknown 'epochs'"),
        ('[[source]]\nlayout = "trans10k"\nweight = 1\npath = "x"', "there are dis5k"),
        ('[[source]]\nlayout = "dis5k"\npath = "x"', "lacks weight"),
        ('[[source]]\nlayout = "dis5k"\nweight = 1', "needs a path"),
        ('[[source]]\nlayout = "drawn"\nweight = 1', "backgrounds"),
        ('[[source]]\nlayout = "photos"\npath = "x"\nweight = "much"', "expected float, got 'much'"),
        ('[[source]]\nlayout = "photos"\npath = "x"\nweight = 0', "every weight is 0"),
        ('[[source]]\nlayout = "photos"\npath = "x"\nweight = 1\n[run]\nsize = 1000', "multiple of 32"),
        ('[[source]]\nlayout = "photos"\npath = "x"\nweight = 1\n[run]\nsize = 64\nsizes = [96]', "up to size"),
        ('[[source]]\nlayout = "photos"\npath = "x"\nweight = 1\n[run]\nsizes = ["96"]', "expected int"),
        ('[[source]]\nlayout = "photos"\npath = "x"\nweight = 1\n[run]\nbatch = true', "expected int"),
        ('[[source]]\nlayout = "photos"\npath = "x"\nweight = 1\n[run]\nworkers = -1', "0 or more"),
        ('weights = 3\n[[source]]\nlayout = "photos"\npath = "x"\nweight = 1', "expected str, got 3"),
        ('[[source]]\nlayout = "photos"\npath = "a/b"\nweight = 1\n[evaluate]\ndev = "a"', "must not overlap"),
        ('[[source]]\nlayout = "photos"\npath = "x"\nweight = 1\n[evaluate]\nrecipe = "fsat"', "there are fast"),
    ],
)
def test_a_bad_mix_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(MixError, match=said):
        read_mix(mix_file(tmp_path, text))


def test_the_shipped_mixes_are_read() -> None:
    import nuggy_nodes.training as here

    files = sorted((Path(here.__file__).parent / "mixes").glob("*.toml"))
    assert files
    for path in files:
        assert read_mix(path, Path("data")).sources
    seed = read_mix(next(p for p in files if p.name == "seed.toml"))
    assert [s.layout for s in seed.sources] == ["dis5k", "am2k", "thinobject5k"]


@pytest.mark.slow
def test_the_core_does_not_import_training() -> None:
    import subprocess
    import sys

    code = (
        "import sys, nuggy_nodes.core, nuggy_nodes.cli.cutout, nuggy_nodes.bridge.work\n"
        "sys.exit(any(m.startswith('nuggy_nodes.training') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
