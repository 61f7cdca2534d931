"""Small clips of a green box, a network whose answer is the green channel, and PyAV to read back."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
import torch.nn.functional as F

from nuggy_nodes.cli import main

SIZE = (96, 64)  # width, height


class Green(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.anchor = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x):
        p = F.avg_pool2d(x[:, 1:2], 2).clamp(1e-4, 1 - 1e-4)
        return (p / (1 - p)).log()


def picture(shift: int) -> np.ndarray:
    """A green box on violet, moved to the right by `shift`."""
    out = np.full((SIZE[1], SIZE[0], 3), (150, 20, 160), np.uint8)
    out[16:48, 20 + shift : 52 + shift] = (40, 235, 60)
    return out


def clip(path: Path, frames: int = 8, times: list[int] | None = None, sound: bool = False) -> Path:
    """A lossless clip; times in milliseconds."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = *SIZE, "bgr0"
        video.codec_context.time_base = video.time_base = Fraction(1, 1000)
        heard = out.add_stream("pcm_s16le", rate=8000, layout="mono") if sound else None
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(i), "rgb24").reformat(format="bgr0")
            frame.pts, frame.time_base = (times[i] if times else 40 * i), Fraction(1, 1000)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if heard:
            tone = (3000 * np.sin(np.arange(8000 * frames // 25) / 9)).astype(np.int16)[None]
            part = av.AudioFrame.from_ndarray(tone, "s16", "mono")
            part.sample_rate, part.pts, part.time_base = 8000, 0, Fraction(1, 8000)
            out.mux(heard.encode(part))
            out.mux(heard.encode(None))
    return path


def read(path: Path, form: str = "rgba64le") -> tuple[list[np.ndarray], list[float]]:
    with av.open(str(path)) as made:
        found = [(f.to_ndarray(format=form), float(f.time)) for f in made.decode(video=0)]
    return [f for f, _ in found], [t for _, t in found]


def run(*given: object) -> int:
    return main(["cutout", "--recipe", "fast", "--islands", "all", *map(str, given)])
