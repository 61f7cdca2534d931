"""Long clips and large ones: memory that does not grow with the length, every frame, all of the sound."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from .conftest import PATIENCE, clip, environment, seen

FRAMES = 300
MORE = 1.1  # memory at the end to that of the first third, at the most


def resident(process: subprocess.Popen[str]) -> int:
    """MiB."""
    pages = Path(f"/proc/{process.pid}/statm").read_text().split()
    return int(pages[1]) * 4096 >> 20 if len(pages) > 1 else 0


def test_memory_of_a_long_clip_stays_what_it_was(tmp_path, command):
    source, target = clip(tmp_path / "long.mp4", FRAMES, 480, 270), tmp_path / "made"
    told = [*command, str(source), "-o", str(target), "--format", "frames", "--output", "mask"]
    process = subprocess.Popen(told, env=environment(), stderr=subprocess.PIPE, text=True)
    found, ends = dict[int, int](), time.monotonic() + 2 * PATIENCE
    while process.poll() is None:
        assert time.monotonic() < ends
        done = sum(1 for _ in target.rglob("*.png")) if target.exists() else 0
        if done:
            found[done] = max(resident(process), found.get(done, 0))
        time.sleep(0.05)
    assert process.returncode == 0, process.communicate()[1]
    process.communicate()
    third, last = ([m for n, m in found.items() if a < n <= a + FRAMES // 3] for a in (0, 2 * FRAMES // 3))
    assert max(last) <= MORE * max(third), (max(third), max(last))


def test_a_long_clip_keeps_frames_and_sound(tmp_path, call):
    source, target = clip(tmp_path / "long.mp4", FRAMES, 160, 90), tmp_path / "out.mp4"
    done = call(source, "-o", target, "--output", "mask")
    assert done.returncode == 0, done.stderr
    assert seen(target) == (FRAMES, pytest.approx(FRAMES / 30, abs=0.1))


def test_frames_of_8k(tmp_path, call):
    source, target = clip(tmp_path / "large.mp4", 2, 7680, 4320), tmp_path / "out.mp4"
    done = call(source, "-o", target, "--output", "mask")
    assert done.returncode == 0, done.stderr
    assert seen(target)[0] == 2
