"""A clip's frames, one after the other, upright.

FFmpeg opens the one file by a fixed list of containers: playlists and scripts, which name other files, are not of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import ImageError
from ..pictures.limits import MOST_MEGAPIXELS
from ..pictures.picture import both
from .colour import colours_of, to_rgb
from .frame import About, Frame, pyav
from .locked import locked

CONTAINERS = "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,mxf,yuv4mpegpipe,h264,hevc"
COVER = 1024  # AV_DISPOSITION_ATTACHED_PIC: a picture of a song's cover


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """PyAV's container. Raises ImageError."""
    av = pyav()
    if not path.is_file():
        raise ImageError(f"{path}: no such file" if not path.exists() else f"{path}: is no regular file")
    if not path.stat().st_size:
        raise ImageError(f"{path}: the file is empty")
    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}
    try:
        container = av.open(f"file:{path}", "r", container_options=options, metadata_errors="replace")
    except PermissionError:
        raise ImageError(f"{path}: no permission") from None
    except (av.error.FFmpegError, ValueError, OSError):
        raise ImageError(
            f"{path}: is no clip that is read (MP4, MOV, MKV, WebM, AVI, MPEG and a few more), or damaged or incomplete"
        ) from None
    with container:
        yield container


class Clip:
    """One clip being read: `about` first, then `frames` once. note: what was left out, complete when they end."""

    def __init__(self, container: Any, path: Path, megapixels: float = MOST_MEGAPIXELS):
        """Raises ImageError where there is nothing to be shown."""
        self._path, self._container, self._most, self.note = path, container, megapixels, ""
        self._damaged = 0
        pictures = [s for s in container.streams.video if not s.disposition.value & COVER]
        if not pictures:
            sound = " sound" if container.streams.audio else " no picture"
            raise ImageError(f"{path}: has{sound} only; a clip with moving pictures is needed")
        self.stream = pictures[0]
        self.stream.thread_type = "AUTO"
        self._check(self.stream)
        self._decoder = self._with_alpha(self.stream)
        self._decoded = self._decode()
        first = next(self._decoded, None)
        if first is None:
            raise ImageError(f"{path}: holds no frame that can be read")
        self._first = first
        self.about = self._describe(first)

    def _check(self, stream: Any) -> None:
        context = stream.codec_context
        if locked(self._path):
            raise ImageError(f"{self._path}: is locked by its publisher (DRM) and cannot be read")
        if context is None:
            raise ImageError(f"{self._path}: its pictures are packed in a way that is not read")
        width, height = context.width, context.height
        if width * height > self._most * 1e6:
            raise ImageError(
                f"{self._path}: frames of {width}x{height} are over the limit of {self._most:g} megapixels; raise it "
                "with --max-megapixels"
            )

    def _with_alpha(self, stream: Any) -> Any:
        """The decoder: for VP9 with transparency the one that reads it."""
        av = pyav()
        told = {k.lower(): v for k, v in stream.metadata.items()}  # Matroska's own spelling is in capitals
        if stream.codec_context.name == "vp9" and told.get("alpha_mode") == "1":
            try:
                decoder = av.CodecContext.create("libvpx-vp9", "r")
            except (av.error.FFmpegError, ValueError):
                return stream.codec_context
            decoder.extradata = stream.codec_context.extradata
            return decoder
        return stream.codec_context

    def _describe(self, frame: Any) -> About:
        stream = self.stream
        turned = frame.rotation % 180 != 0
        aspect = Fraction(stream.codec_context.sample_aspect_ratio or 1) or Fraction(1)
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        count = stream.frames
        length = (stream.duration and stream.duration * stream.time_base) or (self._container.duration or 0) / 10**6
        if not count and length:
            count = round(float(length) * float(rate))
        bits = max(c.bits for c in frame.format.components)
        if frame.interlaced_frame:
            self.note = both(self.note, "is interlaced; its fields are cut out together, not apart")
        return About(
            frame.height if turned else frame.width, frame.width if turned else frame.height, Fraction(rate),
            stream.time_base, colours_of(frame), count, bits > 8, 1 / aspect if turned else aspect,
            sound=bool(self._container.streams.audio),
        )  # fmt: skip

    def frames(self) -> Iterator[Frame]:
        """Every frame, in the order in which they are shown. Raises ImageError."""
        frame, size, done = self._first, (self._first.width, self._first.height), 0
        base, step = self.stream.time_base, 1 / self.about.rate
        alpha = any(c.is_alpha for c in frame.format.components)
        form = {(False, False): "rgb24", (True, False): "rgba", (False, True): "rgb48le", (True, True): "rgba64le"}
        clock = Fraction(0)
        while frame is not None:
            after = next(self._decoded, None)
            if (frame.width, frame.height) != size:
                raise ImageError(f"{self._path}: its frames change size, from {size[0]}x{size[1]}; cut it there first")
            time = clock if frame.pts is None else frame.pts * base
            until = after.pts * base if after is not None and after.pts is not None else None
            length = until - time if until is not None else Fraction((frame.duration or 0) * base) or step
            clock = time + length
            pixels = to_rgb(frame, self.about.colours, form[alpha, self.about.deep])
            if frame.rotation % 360:
                pixels = np.rot90(pixels, frame.rotation // 90)
            pixels = np.ascontiguousarray(pixels)
            yield Frame(pixels[..., :3], time, length, pixels[..., 3] if alpha else None)
            frame, done = after, done + 1
        if self._damaged:
            parts = "part" if self._damaged == 1 else "parts"
            self.note = both(self.note, f"{self._damaged} damaged {parts} left out")
        if self.stream.frames and done < self.stream.frames - self._damaged:
            self.note = both(self.note, f"ends early: {done} of the {self.stream.frames} frames that it announces")

    def _decode(self) -> Iterator[Any]:
        av = pyav()
        last = None
        packets = self._container.demux(self.stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                found = self._decoder.decode(packet if packet.size else None)
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                self._damaged += 1
                if self._damaged > 1000:
                    return
                continue
            for frame in found:
                if frame.pts is not None and last is not None and frame.pts <= last:
                    continue  # a time twice, or one that goes back
                last = frame.pts if frame.pts is not None else last
                yield frame


@contextmanager
def clip_of(path: Path, megapixels: float = MOST_MEGAPIXELS) -> Iterator[Clip]:
    """A clip to read. Raises ImageError."""
    with opened(path) as container:
        yield Clip(container, path, megapixels)
