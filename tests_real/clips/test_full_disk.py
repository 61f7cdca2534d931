"""A disk that fills up: one sentence, nothing half, and what was done stays done.

The disk is a tmpfs of a megabyte in a mount namespace of the call's own, which looks at it before it goes."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .conftest import clip


def on_small_disk(disk: Path, kept: Path, size: str = "1m") -> tuple[str, ...]:
    """What a command is to be called through: `disk` is then a small one, and what lies there at the end in `kept`."""
    there, then = shlex.quote(str(disk)), shlex.quote(str(kept))
    script = f'mount -t tmpfs -o size={size} none {there} && "$@"; got=$?; cp -a {there} {then}; exit $got'
    return ("unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh")


@pytest.fixture
def places(tmp_path) -> tuple[Path, Path]:
    (tmp_path / "disk").mkdir()
    return tmp_path / "disk", tmp_path / "kept"


@pytest.mark.parametrize("name", ["out.mov", "out.webm", "out.mp4"])
def test_of_a_clip_nothing_is_left(tmp_path, call, places, name):
    disk, kept = places
    source = clip(tmp_path / "clip.mp4", 60, 640, 360)
    more = ["--output", "composite", "--quality", "100"] if name == "out.mp4" else ["--quality", "100"]
    done = call(
        source, "-o", disk / name, *(more if name != "out.mov" else []), inside=on_small_disk(disk, kept, "24k")
    )
    assert done.returncode == 1
    said = f"nuggy: {source}: {disk / name}: cannot be written: no space left on the disk"
    assert done.stderr.strip().splitlines() == [said]
    assert not list(kept.iterdir())


def test_of_a_sequence_whole_pictures_are_left(tmp_path, call, places):
    disk, kept = places
    source = clip(tmp_path / "clip.mp4", 60, 640, 360)
    done = call(source, "-o", disk / "frames", "--format", "frames", inside=on_small_disk(disk, kept))
    said = done.stderr.strip().splitlines()
    assert done.returncode == 1 and len(said) == 1 and "no space left on the disk" in said[0]
    made = [p for p in kept.rglob("*") if p.is_file()]
    assert made and all(p.suffix == ".png" for p in made)
    for picture in made:
        Image.open(picture).load()


def photographs(folder: Path) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(8):
        Image.fromarray(rng.integers(0, 255, (300, 400, 3), np.uint8)).save(folder / f"{i}.jpg")
    return folder


def test_of_photographs_those_that_fit_are_left(tmp_path, call, places):
    disk, kept = places
    source = photographs(tmp_path / "in")
    done = call(source, "-o", disk / "out", inside=on_small_disk(disk, kept))
    said, made = done.stderr.strip().splitlines(), [p for p in kept.rglob("*") if p.is_file()]
    assert done.returncode == 1 and 0 < len(made) < 8
    assert len([s for s in said if s.endswith("cannot be written: no space left on the disk")]) == 8 - len(made)
    for picture in made:
        Image.open(picture).load()
    again = call(source, "-o", kept / "out", "--skip-existing")
    assert again.returncode == 0 and len(list((kept / "out").iterdir())) == 8
