"""A clip whose cutting out is ended from outside: a playable file or none, and the next call makes it whole."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest
from PIL import Image

from .conftest import PATIENCE, clip, environment, seen

FRAMES = 60


def heard() -> None:
    """SIGINT ends a process again where these tests run in the background, in which a shell has it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def begun(folder: Path) -> bool:
    """Whether something of the result is there: its part, or the first pictures."""
    return any(folder.rglob("*.part")) if not any(folder.rglob("*.png")) else len(list(folder.rglob("*.png"))) > 2


@pytest.mark.parametrize(
    "how,name",
    [
        (signal.SIGINT, "out.mov"),
        (signal.SIGTERM, "out.webm"),
        (signal.SIGKILL, "out.mov"),
        (signal.SIGTERM, "frames"),
        (signal.SIGKILL, "frames"),
    ],
)
def test_ended_in_mid_work(tmp_path, command, call, how, name):
    source, folder = clip(tmp_path / "clip.mp4", FRAMES), tmp_path / "made"
    folder.mkdir()
    target = folder / name
    told = [source, "-o", target, *(["--format", "frames"] if name == "frames" else [])]
    process = subprocess.Popen([*command, *map(str, told)], env=environment(), stderr=subprocess.PIPE, text=True,
                               preexec_fn=heard)  # fmt: skip
    ends = time.monotonic() + PATIENCE
    while not begun(folder):
        assert process.poll() is None and time.monotonic() < ends
        time.sleep(0.01)
    process.send_signal(how)
    said = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == (130 if how != signal.SIGKILL else -how), said
    if how != signal.SIGKILL:
        assert said.strip().splitlines() == ["nuggy: interrupted"]
        assert not list(folder.rglob("*.part"))
    assert not list(folder.rglob(name)) or name == "frames"
    for picture in folder.rglob("*.png"):
        Image.open(picture).load()
    assert not list(folder.rglob("timestamps.txt"))

    again = call(*told, *(["--overwrite"] if name == "frames" else []))
    assert again.returncode == 0, again.stderr
    assert not list(folder.rglob("*.part")), "what the killed process left is still there"
    if name == "frames":
        assert len(list(folder.rglob("*.png"))) == FRAMES
    else:
        assert seen(target) == (FRAMES, pytest.approx(FRAMES / 30, abs=0.1))
