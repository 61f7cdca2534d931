"""Clips made by PyAV, a tiny network, and the command as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
PATIENCE = 1500  # seconds: a busy machine is no failure


def clip(path: Path, frames: int, width: int = 320, height: int = 180, sound: bool = True) -> Path:
    """A bright box that moves over a rough ground, H.264; a tone as AAC."""
    rough = np.random.default_rng(1).integers(0, 90, (height, width, 3), np.uint8)
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        heard = out.add_stream("aac", rate=48000, layout="mono") if sound else None
        for i in range(frames):
            pixels = rough.copy()
            pixels[height // 4 : height // 2, i % (width // 2) : i % (width // 2) + width // 3] = 240
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 30)
            out.mux(video.encode(frame))
            if heard:
                tone = np.sin((np.arange(1600) + 1600 * i) / 20).astype(np.float32)[None]
                part = av.AudioFrame.from_ndarray(tone, "fltp", "mono")
                part.sample_rate, part.pts, part.time_base = 48000, 1600 * i, Fraction(1, 48000)
                out.mux(heard.encode(part))
        for stream in filter(None, (video, heard)):
            out.mux(stream.encode(None))
    return path


def seen(path: Path) -> tuple[int, float]:
    """Frames and seconds of sound that a player finds in a clip."""
    with av.open(str(path)) as made:
        frames = sum(1 for _ in made.decode(video=0))
    with av.open(str(path)) as made:
        samples = sum(f.samples for f in made.decode(audio=0)) if made.streams.audio else 0
        return frames, samples / (made.streams.audio[0].rate if made.streams.audio else 1)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    """A network that sees how bright a picture is."""
    from tests.core.network.tiny_onnx import write

    return write(tmp_path_factory.mktemp("network") / "tiny.onnx")


@pytest.fixture(scope="session")
def command(tiny) -> list[str]:
    """`nuggy cutout` with that network; what is cut out is to follow."""
    return [sys.executable, "-m", "nuggy_nodes", "cutout", "--network", str(tiny), "--recipe", "fast",
            "--network-mean", "0.5", "--network-std", "1", "--device", "cpu"]  # fmt: skip


@pytest.fixture(scope="session")
def call(command):
    """Run it to its end."""

    def call(*args: object, inside: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        told = [*inside, *command, *map(str, args)]
        return subprocess.run(told, env=environment(), capture_output=True, text=True, timeout=PATIENCE)

    return call


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}
