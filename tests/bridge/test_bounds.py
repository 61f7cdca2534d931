"""What a client may announce and how slowly it may come: bounded, so that it harms nobody else."""

from __future__ import annotations

import re
import socket
import threading
import time
from pathlib import Path

import pytest

from nuggy_nodes.bridge import client, protocol, server, talk, wire
from nuggy_nodes.bridge.job import Job
from nuggy_nodes.bridge.place import Place
from nuggy_nodes.bridge.protocol import Message
from nuggy_nodes.bridge.server import Server
from nuggy_nodes.process import free_memory


def memory() -> int:
    """Bytes that this process holds."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[1]) * 1024  # type: ignore[index]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc is Linux's")
def test_memory_is_taken_as_bytes_come() -> None:
    ours, theirs = socket.socketpair()
    before, seen = memory(), []

    def read() -> None:
        with pytest.raises(EOFError):
            wire.receive(ours, 8 << 30)
        seen.append(True)

    thread = threading.Thread(target=read)
    thread.start()
    theirs.sendall(bytes(3 << 20))
    time.sleep(0.1)
    assert memory() - before < 100 << 20
    theirs.close()
    thread.join(10)
    ours.close()
    assert seen


@pytest.mark.parametrize("size", [1, wire.BLOCK - 1, wire.BLOCK, 5 * wire.BLOCK + 7])
def test_every_byte_comes_in_order(size: int) -> None:
    ours, theirs = socket.socketpair()
    sent = (bytes(i * 7 % 251 for i in range(1000)) * (size // 1000 + 1))[:size]
    thread = threading.Thread(target=theirs.sendall, args=(sent,))
    thread.start()
    assert bytes(wire.receive(ours, size, time.monotonic() + 60)) == sent
    ours.close()
    try:
        thread.join(10)
    finally:
        theirs.close()


def drip(link: socket.socket, stop: threading.Event, data: bytes = b"\0" * 10_000) -> None:
    """A byte at a time, until the other side has had enough."""
    try:
        for at in range(len(data)):
            link.sendall(data[at : at + 1])
            if stop.wait(0.02):
                return
    except OSError:
        pass


def test_a_peer_that_drips_is_left_in_the_end() -> None:
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    stop = threading.Event()
    thread = threading.Thread(target=drip, args=(theirs, stop))
    thread.start()
    with pytest.raises(TimeoutError):
        wire.receive(ours, 10_000, time.monotonic() + 0.3)
    assert ours.gettimeout() == 5
    stop.set()
    thread.join(10)
    ours.close()
    theirs.close()


@pytest.mark.parametrize("greeted", [False, True])
def test_clients_that_drip_keep_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, greeted: bool) -> None:
    monkeypatch.setattr(talk, "PATIENCE", 1.0)
    place = Place(tmp_path / "w")
    served = Server(place, lambda job, blobs, report: Message({}, {"mask": bytes(blobs["pixels"])}), idle=30)
    running = threading.Thread(target=served.serve, daemon=True)
    running.start()
    until = time.monotonic() + 20
    while not (place.socket.exists() or place.card.exists()) and time.monotonic() < until:
        time.sleep(0.01)
    stop, drippers = threading.Event(), []
    links = [wire.reach(place) if greeted else place.connect(5)[0] for _ in range(server.MOST_CLIENTS)]
    head = b"".join(map(bytes, protocol.encode({"do": "ping"})))[:-1] if greeted else protocol.hello(bytes(16))
    for link in links:
        drippers.append(threading.Thread(target=drip, args=(link, stop, head[:4] + bytes([32]) * 10_000)))
        drippers[-1].start()
    answer = None
    while answer is None and time.monotonic() < until:  # a further client comes again, as the plug-in's does
        try:
            with wire.reach(place) as link:
                wire.send(link, protocol.encode(Job(4, 3, 1).to_fields(), {"pixels": bytes(range(12))}))
                fields: dict = {}
                while "done" not in fields:
                    fields = protocol.read_fields(lambda n, link=link: wire.receive(link, n))
                answer = protocol.read_blobs(lambda n, link=link: wire.receive(link, n), fields, {"mask": 12})
        except (OSError, EOFError, client.Unreachable):
            time.sleep(0.1)
    stop.set()
    for thread in drippers:
        thread.join(10)
    for link in links:
        link.close()
    client.quit(place)
    running.join(10)
    assert answer is not None and bytes(answer["mask"]) == bytes(range(12))


def test_a_request_larger_than_the_memory_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "free_memory", lambda: 1 << 30)
    ours, theirs = socket.socketpair()
    job = Job(22000, 22000, 4, depth="float")
    fields = {"blobs": [["pixels", job.sizes()["pixels"]]]}
    desk = talk.Desk(lambda *a: Message({}), dict)
    with ours, theirs, pytest.raises(talk.RequestError, match="are free") as e:
        talk.Talk(desk, ours, b"")._blobs(fields, job)
    assert e.value.kind == "memory"


def test_free_memory_is_the_least_that_is_told(tmp_path: Path) -> None:
    told = tmp_path / "meminfo"
    told.write_text("MemTotal: 9000 kB\nMemAvailable:    5000 kB\n")
    assert free_memory(tmp_path, told) == 5000 * 1024
    (tmp_path / "memory.max").write_text("3000000\n")
    (tmp_path / "memory.current").write_text("1000000\n")
    (tmp_path / "memory.stat").write_text("anon 7\ninactive_file 500000\n")
    assert free_memory(tmp_path, told) == 2_500_000
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory(tmp_path, told) == 5000 * 1024
    assert free_memory(tmp_path / "none", tmp_path / "none") is None
