"""What is no clip, or half of one: a sentence each, nothing half, and what can be read is kept."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest

from tests.clips.samples import SIZE, clip, read, run


def packed(path: Path, frames: int = 4, size: tuple[int, int] = SIZE, codec: str = "libx264") -> Path:
    """A clip of noise."""
    with av.open(str(path), "w") as out:
        video = out.add_stream(codec, rate=25)
        video.width, video.height, video.pix_fmt = *size, "yuv444p"
        for i in range(frames):
            noise = np.random.default_rng(i).integers(0, 255, (size[1], size[0], 3), np.uint8)
            out.mux(video.encode(av.VideoFrame.from_ndarray(noise, "rgb24")))
        out.mux(video.encode(None))
    return path


def heard_only(path: Path) -> Path:
    """Sound without a picture."""
    with av.open(str(path), "w") as out:
        sound = out.add_stream("aac", rate=8000, layout="mono")
        part = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        part.sample_rate, part.pts = 8000, 0
        out.mux(sound.encode(part))
        out.mux(sound.encode(None))
    return path


def locked(path: Path) -> Path:
    """As a shop's DRM leaves it (ISO/IEC 14496-12, 8.12): the pictures' sample entry is called encv, and a box in it
    says what it was."""
    data, at, begins = bytearray(packed(path).read_bytes()), 0, []
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
        at = data.index(name, at)
        begins.append(at - 4)
    data[at : at + 4] = b"encv"
    was = b"\0\0\0\x14sinf\0\0\0\x0cfrmaavc1"
    ends = begins[-1] + int.from_bytes(data[begins[-1] : begins[-1] + 4], "big")
    data[ends:ends] = was
    for begin in begins:
        data[begin : begin + 4] = (int.from_bytes(data[begin : begin + 4], "big") + len(was)).to_bytes(4, "big")
    path.write_bytes(data)
    return path


def hollow(path: Path) -> Path:
    """A clip that announces pictures and holds none: its samples are overwritten."""
    data = packed(path).read_bytes()
    at = data.index(b"mdat")
    length = int.from_bytes(data[at - 4 : at], "big")
    path.write_bytes(data[: at + 4] + bytes(length - 8) + data[at - 4 + length :])
    return path


def text(path: Path) -> Path:
    path.write_text("no clip\n" * 50)
    return path


def nothing(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def head(path: Path) -> Path:
    path.write_bytes(clip(path).read_bytes()[:300])
    return path


def playlist(path: Path) -> Path:
    """A list of other files, which is not followed."""
    path.write_text("#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
    return path


@pytest.mark.parametrize(
    "make,name,words",
    [
        (text, "text.mp4", "is no clip that is read"),
        (nothing, "nothing.mp4", "the file is empty"),
        (head, "head.mkv", "holds no frame|no clip that is read|has no picture only"),
        (heard_only, "sound.mp4", "has sound only"),
        (locked, "locked.mp4", "locked by its publisher (DRM)"),
        (hollow, "hollow.mp4", "holds no frame that can be read"),
        (playlist, "list.mp4", "is no clip that is read"),
    ],
)
def test_a_bad_clip_is_told_in_a_sentence(tmp_path, capsys, make, name, words):
    source = make(tmp_path / name)
    for target in ("out.mov", "out.webm"):
        assert run(source, "-o", tmp_path / target) == 1
        said = capsys.readouterr().err.strip().splitlines()
        assert len(said) == 1 and str(source) in said[0] and any(w in said[0] for w in words.split("|")), said
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_mp4_without_transparency_is_refused(tmp_path, capsys):
    assert run(clip(tmp_path / "e.mkv"), "-o", tmp_path / "o.mp4", "--output", "rgba") == 1
    assert "no transparency" in capsys.readouterr().err


def test_of_a_clip_cut_short_what_is_there_is_cut_out(tmp_path, capsys):
    """A download that broke off: an index would lie at the end, Matroska has none to miss."""
    whole = packed(tmp_path / "a.mkv", 20)
    (tmp_path / "b.mkv").write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    assert run(tmp_path / "b.mkv", "-o", tmp_path / "b.mov", "--json", "--steady", "0") == 0
    told = json.loads(capsys.readouterr().out)["clips"][0]
    frames, _ = read(tmp_path / "b.mov")
    assert len(frames) == told["frames"] and 8 <= told["frames"] < 20
    index = packed(tmp_path / "c.mp4", 20)
    index.write_bytes(index.read_bytes()[: index.stat().st_size * 6 // 10])
    assert run(index, "-o", tmp_path / "c.mov") == 1
    assert "damaged or incomplete" in capsys.readouterr().err and not (tmp_path / "c.mov").exists()


@pytest.mark.parametrize("size", [(97, 63), (33, 5), (3, 64)])
@pytest.mark.parametrize("name", ["out.mov", "out.webm", "out.mp4", "frames", "out.gif"])
def test_odd_sizes(tmp_path, capsys, size, name):
    source = packed(tmp_path / "odd.mkv", 2, size, "ffv1")
    more = {"out.mp4": ["--output", "mask"], "frames": ["--format", "frames"]}.get(name, [])
    assert run(source, "-o", tmp_path / name, "--json", *more) == 0
    told = json.loads(capsys.readouterr().out)["clips"][0]
    assert (told["width"], told["height"], told["frames"]) == (*size, 2)
    if name == "frames":
        assert len(list((tmp_path / name).rglob("*.png"))) == 2
    elif name != "out.gif":
        even = tuple(n + n % 2 for n in size) if name == "out.mp4" else size
        with av.open(str(tmp_path / name)) as made:
            assert (made.streams.video[0].width, made.streams.video[0].height) == even
        assert ("even sides only" in told.get("note", "")) == (even != size)


def test_frames_over_the_limit_are_refused_before_they_are_read(tmp_path, capsys):
    source = packed(tmp_path / "big.mkv", 1, (640, 360))
    assert run(source, "-o", tmp_path / "out.mov", "--max-megapixels", "0.2") == 1
    assert "640x360 are over the limit of 0.2 megapixels" in capsys.readouterr().err


def test_a_failing_clip_leaves_the_others_and_nothing_half(tmp_path, capsys):
    good, bad = clip(tmp_path / "good.mkv", 2), tmp_path / "bad.mp4"
    bad.write_bytes(b"\0" * 100)
    assert run(bad, good, "-o", tmp_path / "out", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["done"] == 1 and told["failed"] == 1 and told["clips"][1]["frames"] == 2
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["good.mov"]
