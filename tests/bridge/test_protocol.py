"""The protocol's pure half: what is packed is unpacked, and what is not ours is refused before anything is believed."""

import io
import json

import pytest

from nuggy_nodes.bridge import protocol
from nuggy_nodes.bridge.job import Job
from nuggy_nodes.bridge.protocol import ProtocolError


def reader(data: bytes) -> protocol.Read:
    stream = io.BytesIO(data)

    def read(size: int) -> bytes:
        got = stream.read(size)
        if len(got) < size:
            raise EOFError
        return got

    return read


def test_message_there_and_back() -> None:
    blobs = {"pixels": bytes(range(12)), "mask": bytearray(b"mask")}
    data = b"".join(protocol.encode({"do": "x", "n": 1.5, "word": "배경"}, blobs))
    read = reader(data)
    fields = protocol.read_fields(read)
    assert {k: v for k, v in fields.items() if k != "blobs"} == {"do": "x", "n": 1.5, "word": "배경"}
    assert protocol.read_blobs(read, fields, {"pixels": 12, "mask": 4}) == blobs


@pytest.mark.parametrize("sizes", [{}, {"pixels": 11}, {"pixels": 12, "mask": 4}, {"mask": 12}])
def test_blobs_other_than_expected_are_refused_unread(sizes: dict[str, int]) -> None:
    fields = {"blobs": [["pixels", 12]]}
    with pytest.raises(ProtocolError, match="expected"):
        protocol.read_blobs(reader(b""), fields, sizes)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",  # a length of a thousand million
        protocol.LENGTH.pack(3) + b"nil",
        protocol.LENGTH.pack(2) + b"[]",
        protocol.LENGTH.pack(60000) + b"[" * 60000,
    ],
)
def test_garbage_is_no_message(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        protocol.read_fields(reader(data))


def test_handshake() -> None:
    mine, theirs, secret = b"a" * 16, b"b" * 16, b"secret"
    assert protocol.check_hello(protocol.hello(mine), "the worker") == mine
    for who in ("client", "worker"):
        proof = protocol.proof(secret, who, mine, theirs)
        assert len(proof) == protocol.PROOF_SIZE
        protocol.check_proof(proof, secret, who, mine, theirs)
        for wrong in (
            protocol.proof(b"guess", who, mine, theirs),
            protocol.proof(secret, who, theirs, mine),
            bytes(32),
        ):
            with pytest.raises(ProtocolError, match="secret"):
                protocol.check_proof(wrong, secret, who, mine, theirs)
    with pytest.raises(ProtocolError):  # one side's proof is no use to the other
        protocol.check_proof(protocol.proof(secret, "client", mine, theirs), secret, "worker", mine, theirs)


def test_other_program_and_other_version() -> None:
    with pytest.raises(ProtocolError, match="not Nuggy"):
        protocol.check_hello(b"SSH-2.0-OpenSSH_9.2p1x", "the worker")
    other = protocol.HELLO.pack(protocol.MAGIC, protocol.VERSION + 1, bytes(16))
    with pytest.raises(ProtocolError, match=f"version {protocol.VERSION + 1}.*version {protocol.VERSION}"):
        protocol.check_hello(other, "the worker")


def test_job_there_and_back() -> None:
    job = Job(40, 30, 4, depth="u16", recipe="best", settings={"gamma": 0.5}, want="layer", has_selection=True)
    assert Job.from_fields(json.loads(json.dumps(job.to_fields()))) == job
    assert job.sizes() == {"pixels": 40 * 30 * 4 * 2, "selection": 40 * 30}
    assert job.answer_sizes() == {"layer": 40 * 30 * 4 * 4}
    masked = Job(40, 30, 1, mask_depth="float", has_mask=True)
    assert masked.sizes() == {"pixels": 1200, "mask": 4800} and masked.answer_sizes() == {"mask": 4800}


@pytest.mark.parametrize(
    "change",
    [
        {"width": 0}, {"width": -5}, {"width": 2.0}, {"width": True}, {"width": "40"}, {"channels": 5},
        {"width": 10**6, "height": 10**6}, {"depth": "u4"}, {"depth": ["u8"]}, {"existing": "xor"}, {"want": "all"},
        {"settings": []}, {"recipe": 3}, {"has_mask": 1}, {"surprise": 1},
    ],
)  # fmt: skip
def test_job_out_of_range(change: dict) -> None:
    with pytest.raises(ProtocolError):
        Job.from_fields({**Job(40, 30, 3).to_fields(), **change})
