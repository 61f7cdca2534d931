"""Protocol buffers, against messages written out byte by byte and one that Google's library wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import TensorProto, helper

from nuggy_nodes.core import WeightsError
from nuggy_nodes.core.network import protobuf
from nuggy_nodes.core.network.protobuf import Messages


def walk(data):
    return [(n, v if isinstance(v, int) else bytes(v)) for n, v in Messages(Path("a")).walk(memoryview(data))]


def test_every_kind_of_field():
    data = b"\x08\x96\x01" + b"\x12\x03abc" + b"\x19" + bytes(range(8)) + b"\x25" + bytes(range(4)) + b"\x82\x01\x00"
    assert walk(data) == [(1, 150), (2, b"abc"), (3, bytes(range(8))), (4, bytes(range(4))), (16, b"")]


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**31, 2**63])
def test_numbers_are_base_128(value):
    data, rest = bytearray(), value
    while rest > 127:
        data.append(rest & 127 | 128)
        rest >>= 7
    data.append(rest)
    assert Messages(Path("a")).number(memoryview(bytes(data) + b"\xff"), 0) == (value, len(data))


@pytest.mark.parametrize(
    "data",
    [b"\x08", b"\x08\x80", b"\x08" + b"\xff" * 10 + b"\x01", b"\x12\x05abc", b"\x19\0\0", b"\x25\0", b"\x0b", b"\x0f"],
    ids=["no value", "unended", "too long", "beyond the end", "short 64", "short 32", "group", "no kind"],
)
def test_what_is_broken_is_refused(data):
    with pytest.raises(WeightsError, match="not a whole ONNX file"):
        walk(data)


def test_fields_are_counted_over_the_whole_file(monkeypatch):
    monkeypatch.setattr(protobuf, "MOST_FIELDS", 3)
    one = Messages(Path("a"))
    assert len(list(one.walk(memoryview(b"\x08\x01" * 2)))) == 2
    with pytest.raises(WeightsError):
        list(one.walk(memoryview(b"\x08\x01" * 2)))


def test_a_message_of_googles_library():
    made = helper.make_tensor("gain", TensorProto.FLOAT, [2], [1.0, 2.0])
    one, raw = Messages(Path("a")), memoryview(made.SerializeToString())
    assert one.text(raw, 8) == "gain" and one.text(raw, 9) == ""
    assert [n for n, _ in one.bytes_of(raw) if n == 8] == [8] and (2, 1) in list(one.walk(raw))
    assert one.text(memoryview(b"\xff\xfea")) == "��a" and len(one.text(memoryview(b"x" * 9000))) == 4096
