"""The template for clips in a real ComfyUI: core's video nodes around ours, the result compared with the core's."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from .prompts import of_workflow
from .server import REPOSITORY, Server

TEMPLATE = REPOSITORY / "example_workflows" / "Cut-outs of a clip.json"
FRAMES, RATE, GREEN = 5, Fraction(12), (0, 0xB1, 0x40)


@pytest.fixture
def clip(server: Server, photo: np.ndarray) -> Path:
    """The kitten under a camera that moves to the right, with a tone beside it."""
    path = server.base / "input" / "clip.mp4"
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=RATE, options={"crf": "10"})
        video.width, video.height, video.pix_fmt = 320, 288, "yuv420p"
        sound = out.add_stream("aac", rate=48000)
        for i in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(photo[40:328, 40 + 6 * i : 360 + 6 * i]), "rgb24")
            out.mux(video.encode(frame))
        tone = (0.2 * np.sin(np.arange(48000 * FRAMES // 12) * 0.05)).astype(np.float32)[None]
        heard = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        heard.sample_rate = 48000
        out.mux(sound.encode(heard))
        out.mux(sound.encode())
        out.mux(video.encode())
    return path


def frames_of(path: Path) -> np.ndarray:
    """The frames of a file [T,H,W,3], 8 bits."""
    with av.open(str(path)) as f:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in f.decode(video=0)])


def test_the_clip_comes_back_over_green_with_its_sound_and_rate(server: Server, clip: Path) -> None:
    from nuggy_nodes.core import cutout, estimate_foreground, load
    from nuggy_nodes.core.refine.temporal import steady_masks

    graph = json.loads(TEMPLATE.read_text(encoding="utf-8"))
    prompt = of_workflow(graph, NuggyTTAMask={"views": "fast"}, NuggyLoader={"precision": "float32"})
    ran = server.run(prompt)
    assert not ran.error, ran.error
    (saved,) = (server.base / "output" / "video").iterdir()
    made = frames_of(saved)

    given = torch.from_numpy(frames_of(clip)).movedim(-1, 1).float() / 255
    alphas = [cutout(one, load(), "fast").alpha for one in given.split(1)]
    green = torch.tensor(GREEN).view(1, 3, 1, 1) / 255
    expected = [
        torch.lerp(green.expand_as(picture), estimate_foreground(picture, alpha), alpha)
        for picture, alpha in zip(given.split(1), steady_masks(zip(given.split(1), alphas), 3, 0.06))
    ]
    wanted = (torch.cat(expected) * 255).round().movedim(1, -1).numpy()
    assert made.shape == wanted.shape
    off = np.abs(made - wanted)  # written in 4:2:0, with losses: edges of colour are soft there
    assert off.mean() < 3 and np.quantile(off, 0.99) < 30, (off.mean(), np.quantile(off, 0.99))
    assert np.abs(wanted - frames_of(clip)).mean() > 20  # it is another picture than the clip's
    with av.open(str(saved)) as f, av.open(str(clip)) as g:
        assert f.streams.video[0].average_rate == RATE
        assert f.streams.audio and abs(float(f.duration - g.duration)) / av.time_base < 0.1
