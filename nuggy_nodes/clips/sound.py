"""A clip's sound, carried over: as it is where the new container holds it, else packed anew."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from .frame import pyav

# what a container holds as it is, and what else becomes of it
HELD = {
    "mov": ({"aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be"}, "aac"),
    "mp4": ({"aac", "mp3", "ac3", "eac3", "alac"}, "aac"),
    "webm": ({"opus", "vorbis"}, "libopus"),
}
RATE = 48000  # samples a second, packed anew
BITS = 160_000  # a second


class Sound:
    """The sound of one container, muxed into another as its pictures come; it is read beside them, by a container of
    its own, so that nothing of it waits in memory. note: what was packed anew."""

    def __init__(self, source: Any, target: Any, form: str):
        """source: a container opened for this alone. target: the container that is written, no stream started yet."""
        self._target, (held, other) = target, HELD[form]
        self._tracks: dict[int, Any] = {}
        self.note = ""
        streams = [s for s in source.streams.audio if s.codec_context is not None]
        for stream in streams:
            if stream.codec_context.name in held:
                self._tracks[stream.index] = _Copied(target.add_stream_from_template(stream))
            else:
                self._tracks[stream.index] = _Packed(target, other)
                less = ", in stereo" if stream.codec_context.channels > 2 else ""
                name = stream.codec_context.name
                self.note = (
                    f"{form} does not hold its sound ({name}), which is packed as {other.removeprefix('lib')}{less}"
                )
        self._packets: Iterator[Any] = iter(source.demux(streams)) if streams else iter(())
        self._ahead: Any = None
        self.damaged = 0

    def until(self, time: Fraction | None) -> None:
        """Mux what is heard before `time`, in seconds; None: all the rest."""
        av = pyav()
        while True:
            try:
                packet = self._ahead or next(self._packets, None)
            except av.error.FFmpegError:
                packet = None
            if packet is None:
                break
            self._ahead = packet
            if time is not None and packet.dts is not None and packet.dts * packet.time_base >= time:
                return
            self._ahead = None
            try:
                made = self._tracks[packet.stream.index].packets(packet)
            except av.error.FFmpegError:  # of damaged sound the rest is kept
                self.damaged += 1
                continue
            self._target.mux(made)
        if time is None:
            for track in self._tracks.values():
                self._target.mux(track.rest())


class _Copied:
    def __init__(self, stream: Any):
        self._stream = stream

    def packets(self, packet: Any) -> list[Any]:
        if packet.dts is None:  # the mark of the end
            return []
        packet.stream = self._stream
        return [packet]

    def rest(self) -> list[Any]:
        return []


class _Packed:
    def __init__(self, target: Any, codec: str):
        av = pyav()
        self._stream = target.add_stream(codec, rate=RATE, layout="stereo", bit_rate=BITS)
        form = self._stream.codec_context.format or "fltp"
        self._resample = av.AudioResampler(form, "stereo", RATE, frame_size=960 if codec == "libopus" else 1024)

    def packets(self, packet: Any) -> list[Any]:
        return [p for frame in packet.decode() for f in self._resample.resample(frame) for p in self._stream.encode(f)]

    def rest(self) -> list[Any]:
        left = [p for f in self._resample.resample(None) for p in self._stream.encode(f)]
        return left + self._stream.encode(None)
