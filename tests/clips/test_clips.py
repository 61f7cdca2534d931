"""Clips through the command line, with a stand-in network whose answer is known: the green channel. PyAV reads back."""

from __future__ import annotations

import itertools
import json
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from nuggy_nodes.clips.decode import clip_of
from tests.clips.samples import SIZE, clip, picture, read, run


def test_prores_holds_the_mask_and_the_times_and_the_sound(tmp_path):
    times = [0, 40, 130, 170, 210, 300, 340, 380]
    source = clip(tmp_path / "a.mkv", times=times, sound=True)
    assert run(source, "-o", tmp_path / "a.mov", "--steady", "0") == 0
    frames, shown = read(tmp_path / "a.mov")
    assert len(frames) == 8
    np.testing.assert_allclose(shown, np.array(times) / 1000, atol=0.002)
    for i, frame in enumerate(frames):
        alpha = frame[..., 3] / 65535
        assert (
            alpha[20:44, 24 + i : 48 + i].min() > 0.98 and alpha[:12].max() < 0.02 and alpha[:, 60 + i :].max() < 0.02
        )
        inside = frame[30, 36 + i, :3] / 257
        np.testing.assert_allclose(inside, (40, 235, 60), atol=8)
    with av.open(str(tmp_path / "a.mov")) as made:
        heard = sum(f.samples for f in made.decode(audio=0))
    assert abs(heard - 8000 * 8 // 25) <= 1024


@pytest.mark.parametrize(
    "form,what,pixels", [("webm", "rgba", "rgba"), ("mp4", "composite", "rgb24"), ("mp4", "mask", "gray")]
)
def test_other_forms(tmp_path, form, what, pixels):
    source = clip(tmp_path / "b.mkv")
    given = ["--background", "#0000ff"] if what == "composite" else []
    out = tmp_path / f"b.{form}"
    assert run(source, "-o", out, "--output", what, *given) == 0
    if form == "webm":
        with av.open(str(out)) as made:
            assert (
                made.streams.video[0].metadata.get("alpha_mode") == "1"
                or made.streams.video[0].metadata.get("ALPHA_MODE") == "1"
            )
        with clip_of(out) as again:  # as input it keeps its transparency
            shown = [f.alpha for f in again.frames()]
        assert len(shown) == 8 and all(a is not None for a in shown)
        assert shown[0][30, 36] > 250 and shown[0][5, 5] < 5
        return
    frames, _ = read(out, pixels)
    assert len(frames) == 8
    if what == "mask":
        assert frames[0][30, 36] > 250 and frames[0][5, 5] < 5
    else:
        np.testing.assert_allclose(frames[0][5, 5].astype(int), (0, 0, 255), atol=12)
        np.testing.assert_allclose(frames[0][30, 36].astype(int), (40, 235, 60), atol=12)


def test_frames_in_a_folder_equal_the_pictures_own_cut_outs(tmp_path):
    source = clip(tmp_path / "c.mkv", 3)
    assert run(source, "-o", tmp_path / "f", "--format", "frames", "--steady", "0") == 0
    made = sorted((tmp_path / "f").rglob("*.png"))
    assert len(made) == 3
    for i, path in enumerate(made):
        Image.fromarray(picture(i)).save(tmp_path / f"{i}.png")
        assert run(tmp_path / f"{i}.png", "-o", tmp_path / f"{i}-own.png") == 0
        alone = np.array(Image.open(tmp_path / f"{i}-own.png"))
        assert np.abs(np.array(Image.open(path)).astype(int) - alone).max() <= 1


def test_an_animation_keeps_its_loops_and_times(tmp_path):
    frames = [Image.fromarray(picture(i)) for i in range(4)]
    frames[0].save(tmp_path / "d.gif", save_all=True, append_images=frames[1:], duration=[100, 50, 200, 70], loop=3)
    for form in ("gif", "webp", "png"):
        out = tmp_path / f"d-out.{form}"
        assert run(tmp_path / "d.gif", "-o", out) == 0
        with Image.open(out) as made:
            seen = [(f.convert("RGBA"), f.info.get("duration")) for f in ImageSequence.Iterator(made)]
            plays = {"gif": 3, "webp": 4, "png": 4}[form]  # a GIF tells how often it is shown again
            assert made.info.get("loop") == plays
        assert len(seen) == 4
        if form != "webp":  # Pillow reads a WebP's times only as sums
            assert [round(d) for _, d in seen] == [100, 50, 200, 70]
        assert seen[0][0].getpixel((36, 30))[3] > 250 and seen[0][0].getpixel((5, 5))[3] < 5


def test_without_pyav_the_package_is_named(tmp_path, capsys, monkeypatch):
    source = clip(tmp_path / "g.mkv", 2)
    monkeypatch.setitem(sys.modules, "av", None)
    assert run(source, "-o", tmp_path / "g.mov") != 0
    assert "nuggy-nodes[video]" in capsys.readouterr().err


def test_steady_takes_a_jump_of_one_frame_away():
    """A mask that jumps for one frame where the picture stands still."""
    from nuggy_nodes.clips.frame import Frame
    from nuggy_nodes.clips.steadily import steadily
    from nuggy_nodes.core import Cutout

    still = picture(0)
    masks = [torch.full((1, 1, SIZE[1], SIZE[0]), v) for v in (0.5, 0.5, 0.9, 0.5, 0.5, 0.1, 0.5, 0.5)]
    image = torch.from_numpy(still).permute(2, 0, 1)[None].float() / 255

    def moved(window: int) -> float:
        todo = iter(masks)
        frames = (Frame(still, Fraction(i, 25), Fraction(1, 25)) for i in range(len(masks)))
        out = [found.alpha for _, found in steadily(frames, lambda f: Cutout(next(todo), image), window)]
        assert len(out) == len(masks)
        return float(sum((a - b).abs().mean() for a, b in itertools.pairwise(out)))

    assert moved(3) < 0.5 * moved(0)


def test_without_opencvs_motion_clips_are_steadied_where_they_stand_still(monkeypatch):
    from nuggy_nodes.clips import steadily as of
    from nuggy_nodes.clips.frame import Frame
    from nuggy_nodes.core import Cutout

    monkeypatch.setattr(of, "motion_found", lambda: False)
    monkeypatch.setattr(of, "Motion", None)
    still = picture(0)
    image = torch.from_numpy(still).permute(2, 0, 1)[None].float() / 255
    todo = iter([torch.full((1, 1, SIZE[1], SIZE[0]), v) for v in (0.5, 0.5, 0.9, 0.5, 0.5)])
    frames = (Frame(still, Fraction(i, 25), Fraction(1, 25)) for i in range(5))
    made = [found.alpha for _, found in of.steadily(frames, lambda f: Cutout(next(todo), image), 5)]
    assert all(bool((a == 0.5).all()) for a in made)


def test_scenes_are_told_by_what_is_light_and_dark_where():
    """A cut between two scenes, whatever their colours have in common; none where a scene moves, or its light does."""
    from nuggy_nodes.clips.scenes import is_cut, thumbnail

    def scene(seed: int) -> np.ndarray:
        rough = np.random.default_rng(seed).integers(0, 255, (5, 8, 3), np.uint8)
        return np.array(Image.fromarray(rough).resize((240, 135), Image.Resampling.BICUBIC))

    scenes = [scene(i) for i in range(6)]
    for a, b in itertools.permutations(scenes, 2):
        assert is_cut(thumbnail(a), thumbnail(b))
        assert is_cut(thumbnail(a), thumbnail(a[::-1, ::-1].copy()))  # the same colours
    for a in scenes:
        assert not is_cut(thumbnail(a), thumbnail(np.roll(a, 6, 1)))
        lit = (a * 0.5 + 110).astype(np.uint8)
        assert not is_cut(thumbnail(a), thumbnail(lit))
        assert np.abs(thumbnail(a) - thumbnail(lit)).mean() > 0.08


def test_sound_that_is_packed_anew_is_told(tmp_path, capsys):
    source = clip(tmp_path / "h.mkv", 4, sound=True)
    assert run(source, "-o", tmp_path / "h.mp4", "--json") == 0
    told = capsys.readouterr()
    assert "packed as aac" in json.loads(told.out)["clips"][0]["note"]
    assert run(source, "-o", tmp_path / "h.mov", "--json") == 0  # which holds it as it is
    assert "note" not in json.loads(capsys.readouterr().out)["clips"][0]


def test_a_failure_is_told_of_the_file_that_fails(tmp_path):
    from nuggy_nodes.clips.movie import movie_of
    from nuggy_nodes.core.errors import ImageError

    with clip_of(clip(tmp_path / "i.mkv", 2)) as source:
        with (
            pytest.raises(OSError, match="elsewhere"),
            movie_of(tmp_path / "i.mov", "mov", source.about, None, alpha=True),
        ):
            raise OSError("elsewhere")
        with (
            pytest.raises(ImageError, match=r"none/i.mov: cannot be written: no such file"),
            movie_of(tmp_path / "none" / "i.mov", "mov", source.about, None, alpha=True),
        ):
            pass
    assert sorted(p.name for p in tmp_path.iterdir()) == ["i.mkv"]


def test_a_sequence_that_fails_has_no_times(tmp_path, monkeypatch):
    from nuggy_nodes.cli import frames

    def fails(self, *a):
        if self._done > 2:
            raise MemoryError
        return whole(self, *a)

    whole = frames.Cutter.pixels
    monkeypatch.setattr(frames.Cutter, "pixels", fails)
    source = clip(tmp_path / "j.mkv", 5)
    assert run(source, "-o", tmp_path / "f", "--format", "frames", "--steady", "0") == 1
    assert [p.name for p in sorted((tmp_path / "f").rglob("*.*"))] == ["000001.png", "000002.png"]
