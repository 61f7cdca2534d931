"""A real worker process (its work a stub): everything that can go wrong between two processes."""

from __future__ import annotations

import errno
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nuggy_nodes.bridge import client, protocol, wire
from nuggy_nodes.bridge import launch as launching
from nuggy_nodes.bridge.call import Call
from nuggy_nodes.bridge.job import Job
from nuggy_nodes.bridge.launch import Launch, WorkerError
from nuggy_nodes.bridge.place import Place, PlaceError, Unreachable
from nuggy_nodes.bridge.server import Server

STUB = Path(__file__).with_name("stub_worker.py")
REPOSITORY = STUB.parents[2]
PIXELS = bytes(range(12))


class StubLaunch(Launch):
    """Starts the stub instead of the worker."""

    idle_seconds = "60"
    options: tuple[str, ...] = ()

    def command(self) -> list[str]:
        return [self.python, str(STUB), str(self.place().folder), self.idle_seconds, *self.options]

    def place(self) -> Place:
        return Place(Path(self.runtime), loopback="--loopback" in self.options or None)


@pytest.fixture(params=["unix", "loopback"])
def launch(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubLaunch]:
    if request.param == "unix" and not hasattr(socket, "AF_UNIX"):
        pytest.skip("no Unix sockets on this platform")
    made = StubLaunch(sys.executable, str(REPOSITORY), str(tmp_path_factory.mktemp("w") / "nuggy"))
    if request.param == "loopback":
        object.__setattr__(made, "options", ("--loopback",))
    yield made
    for _ in range(4):  # a second one, of a client that came at the same time, may have come after the first
        if not client.quit(made.place()):
            break


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stub lies outside the package, and finds it by this variable."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setattr(launching, "NOT_INHERITED", tuple(n for n in launching.NOT_INHERITED if n != "PYTHONPATH"))


def ask(launch: Launch, recipe: str = "invert") -> Call:
    return client.ask(launch, Job(4, 3, 1, recipe=recipe), {"pixels": PIXELS})


def done(call: Call) -> bytes:
    for _ in call.follow():
        pass
    return bytes(call.result().blobs["mask"])


def wait_for(what: Callable[[], object], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)


def owner(place: Place) -> int:
    return int(place.lock.read_text())


def test_started_when_missing_and_then_warm(launch: StubLaunch) -> None:
    call = ask(launch)
    assert [e[0] for e in call.follow() if e] == ["start", "network"]
    assert bytes(call.result().blobs["mask"]) == bytes(255 - v for v in PIXELS)
    first = client.ping(launch)
    assert first["stub"] is True and first["pid"] == owner(launch.place())
    call = ask(launch)
    assert [e[0] for e in call.follow() if e] == ["network"]
    assert client.ping(launch)["pid"] == first["pid"]


def test_only_the_user_can_reach_it(launch: StubLaunch) -> None:
    client.ping(launch)
    place = launch.place()
    path = place.card if place.loopback else place.socket
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.folder.stat().st_mode) == 0o700


def test_ends_when_idle_and_leaves_no_socket(launch: StubLaunch) -> None:
    object.__setattr__(launch, "idle_seconds", "0.3")
    place = launch.place()
    pid = client.ping(launch)["pid"]
    wait_for(lambda: not place.socket.exists() and not place.card.exists())
    wait_for(lambda: not alive(pid))
    assert done(ask(launch))  # and the next call starts another


def alive(pid: int) -> bool:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_one_worker_a_user(launch: StubLaunch) -> None:
    pid = client.ping(launch)["pid"]
    second = subprocess.run([*launch.command()], capture_output=True, timeout=30)
    assert second.returncode == 0 and b"another worker" in second.stdout, second.stderr
    assert client.ping(launch)["pid"] == pid


def test_two_clients_at_once_start_one_worker(launch: StubLaunch) -> None:
    calls = [ask(launch) for _ in range(4)]
    assert [done(c) for c in calls] == [bytes(255 - v for v in PIXELS)] * 4


@pytest.mark.slow
def test_second_client_waits_its_turn(launch: StubLaunch) -> None:
    slow = ask(launch, "slow")
    wait_for(lambda: not slow.events.empty() and slow.events.get()[0] == "network")
    other = ask(launch)
    wait_for(lambda: not other.events.empty() and other.events.get()[0] == "waiting")
    slow.cancel()
    assert done(other)


def test_work_stops_when_nobody_waits(launch: StubLaunch) -> None:
    call = ask(launch, "slow")
    wait_for(lambda: not call.events.empty() and call.events.get()[0] == "network")
    begun = time.monotonic()
    call.cancel()
    with pytest.raises(WorkerError) as e:
        done(call)
    assert e.value.kind == "cancelled"
    other = ask(launch)
    assert "waiting" not in [e[0] for e in other.follow() if e]  # not for a picture that is his own, cancelled
    assert other.result() and time.monotonic() - begun < 10  # the slow one would have taken 20


@pytest.mark.slow
def test_told_to_quit_while_busy_it_hands_over(launch: StubLaunch) -> None:
    """The one under way and the one that waits are answered by the next worker."""
    first = client.ping(launch)["pid"]
    calls = [ask(launch, "soon"), ask(launch)]
    wait_for(lambda: not calls[0].events.empty() and not calls[1].events.empty())
    begun = time.monotonic()
    assert client.quit(launch.place())
    assert time.monotonic() - begun < 5
    wait_for(lambda: not alive(first))
    assert [done(c) for c in calls] == [bytes(255 - v for v in PIXELS)] * 2
    assert client.ping(launch)["pid"] != first


def test_quit_waits_for_the_one_it_told_and_for_no_other(launch: StubLaunch, monkeypatch: pytest.MonkeyPatch) -> None:
    first, place = client.ping(launch)["pid"], launch.place()
    seen = iter([first, first, first + 1])  # when it looks for the third time, somebody else's has begun
    monkeypatch.setattr(place, "worker", lambda: next(seen))
    assert client.quit(place)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no stopped processes on this platform")
@pytest.mark.parametrize("when", ["before", "during"])
def test_stopped_worker_is_told_with_its_pid_and_quit_ends_it(
    launch: StubLaunch, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    monkeypatch.setattr("nuggy_nodes.bridge.call.LOOK", 0.2)
    monkeypatch.setattr("nuggy_nodes.bridge.wire.reach.__defaults__", (0.5,))
    pid = client.ping(launch)["pid"]
    if when == "before":
        os.kill(pid, signal.SIGSTOP)
    call = ask(launch, "slow")
    if when == "during":
        wait_for(lambda: not call.events.empty())
        os.kill(pid, signal.SIGSTOP)
    with pytest.raises(WorkerError) as e:
        done(call)
    assert e.value.kind == "stopped" and str(e.value) == str(pid)
    assert client.quit(launch.place())
    wait_for(lambda: not alive(pid))
    assert done(ask(launch))


def test_words_of_a_death_are_of_this_request(launch: StubLaunch) -> None:
    with pytest.raises(WorkerError):
        done(ask(launch, "fail"))  # its traceback stands in the log
    with pytest.raises(WorkerError) as e:
        done(ask(launch, "die"))
    assert "a bug" in launch.place().last_words(50) and "a bug" not in str(e.value)


@pytest.mark.slow
def test_memory_is_given_back_after_the_last_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nuggy_nodes.bridge.server.REST", 0.1)
    rested: list[float] = []
    place = Place(tmp_path / "r")
    served = Server(
        place, lambda job, blobs, report: protocol.Message({}, {"mask": PIXELS}),
        rest=lambda: rested.append(time.monotonic()),
    )  # fmt: skip
    thread = threading.Thread(target=served.serve)
    thread.start()
    wait_for(lambda: place.socket.exists() or place.card.exists())
    launch = StubLaunch(sys.executable, runtime=str(tmp_path / "r"))
    for _ in range(2):
        before = len(rested)
        assert done(ask(launch)) == PIXELS
        wait_for(lambda before=before: len(rested) == before + 1)
    time.sleep(0.6)
    assert len(rested) == 2  # once after each
    client.quit(place)
    thread.join(10)


@pytest.mark.slow
def test_killed_in_the_middle_ten_times(launch: StubLaunch) -> None:
    place = launch.place()
    for _ in range(10):
        pid = client.ping(launch)["pid"]
        call = ask(launch, "slow")
        wait_for(lambda c=call: not c.events.empty())
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(WorkerError) as e:
            done(call)
        assert e.value.kind == "lost"
        assert not place.socket.exists() and not place.card.exists()
        wait_for(lambda p=pid: not alive(p))


def test_dying_worker_reports_how(launch: StubLaunch) -> None:
    with pytest.raises(WorkerError, match="status -9") as e:
        done(ask(launch, "die"))
    assert e.value.kind == "lost"


@pytest.mark.parametrize(("recipe", "kind"), [("fail", "internal"), ("memory", "memory"), ("bomb", "memory")])
def test_failures_come_back_and_the_worker_lives(launch: StubLaunch, recipe: str, kind: str) -> None:
    pid = client.ping(launch)["pid"]
    with pytest.raises(WorkerError) as e:
        done(ask(launch, recipe))
    assert e.value.kind == kind
    assert done(ask(launch)) and client.ping(launch)["pid"] == pid


def test_stale_socket_is_replaced(launch: StubLaunch) -> None:
    place = launch.place()
    place.prepare()
    if place.loopback:
        place.card.write_text('{"port": 1, "secret": "00"}')
    else:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(place.socket))
    assert done(ask(launch))


def test_stale_port_that_another_program_has_by_now(tmp_path: Path) -> None:
    """A killed worker's card outlives a restart of the machine; the program at its port is not spoken to."""
    launch = StubLaunch(sys.executable, str(REPOSITORY), str(tmp_path / "nuggy"))
    object.__setattr__(launch, "options", ("--loopback",))
    place = launch.place()
    place.prepare()
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0)
        place.card.write_text(f'{{"port": {other.getsockname()[1]}, "secret": "00"}}')
        assert done(ask(launch))
        with pytest.raises(BlockingIOError):
            other.accept()
    client.quit(place)


def raw(place: Place) -> socket.socket:
    link, _ = place.connect(5)
    link.settimeout(5)
    return link


@pytest.mark.parametrize("garbage", [b"", b"\0" * 22, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", os.urandom(4096)],
                         ids=["nothing", "zeros", "http", "noise"])  # fmt: skip
def test_garbage_on_the_socket(launch: StubLaunch, garbage: bytes) -> None:
    pid = client.ping(launch)["pid"]
    with raw(launch.place()) as link:
        try:
            link.sendall(garbage)
            link.shutdown(socket.SHUT_WR)
            while link.recv(4096):
                pass
        except OSError as e:  # it has hung up, and there are bytes it has not read
            assert isinstance(e, ConnectionError) or e.errno == errno.ENOTCONN
    assert done(ask(launch)) and client.ping(launch)["pid"] == pid


@pytest.mark.parametrize(
    "message",
    [
        [protocol.LENGTH.pack(2**32 - 1)],
        protocol.encode({"do": "format the disk"}),
        protocol.encode({"do": "cutout", "width": 10}),
        protocol.encode({**Job(20000, 20000, 4, depth="float").to_fields(), "blobs": [["pixels", 5]]}),
        protocol.encode({**Job(4, 3, 1).to_fields(), "blobs": [["../../etc/passwd", 12]]}),
    ],
    ids=["length", "unknown", "lacking", "sizes", "names"],
)
def test_greeted_client_that_talks_nonsense(launch: StubLaunch, message: list[bytes]) -> None:
    client.ping(launch)
    with wire.reach(launch.place()) as link:
        wire.send(link, message)
        answer = protocol.read_fields(lambda n: wire.receive(link, n))
    assert answer["error"] == "protocol"
    assert done(ask(launch))


def test_client_that_does_not_know_the_secret(launch: StubLaunch) -> None:
    client.ping(launch)
    link = raw(launch.place())
    with link, pytest.raises((protocol.ProtocolError, EOFError, ConnectionError)):
        wire.greet(link, b"guess")


def test_client_of_another_version_is_told(launch: StubLaunch) -> None:
    client.ping(launch)
    with raw(launch.place()) as link:
        link.sendall(protocol.HELLO.pack(protocol.MAGIC, 99, bytes(16)))
        magic, version, _ = protocol.HELLO.unpack(wire.receive(link, protocol.HELLO.size))
    assert (magic, version) == (protocol.MAGIC, protocol.VERSION)


def test_silent_client_holds_nobody_up(launch: StubLaunch) -> None:
    client.ping(launch)
    links = [raw(launch.place()) for _ in range(3)]
    assert done(ask(launch))
    for link in links:
        link.close()


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can act as another user")
@pytest.mark.parametrize("delay", [0.0, 0.3], ids=["at once", "late"])
def test_another_user_is_turned_away(launch: StubLaunch, delay: float) -> None:
    if launch.place().loopback:
        return  # there the secret decides: test_client_that_does_not_know_the_secret
    with tempfile.TemporaryDirectory() as open_to_all:  # pytest's own are closed by every other pytest that starts
        os.chmod(open_to_all, 0o777)
        object.__setattr__(launch, "runtime", str(Path(open_to_all) / "nuggy"))
        turned_away(launch, delay)
        client.quit(launch.place())


def turned_away(launch: StubLaunch, delay: float) -> None:
    client.ping(launch)
    place = launch.place()
    for path in (place.folder, place.socket):
        path.chmod(0o777)  # even with every door open
    child = os.fork()
    if child == 0:
        status = 3
        try:
            os.setgid(65534)
            os.setuid(65534)
            with raw(place) as link:
                wire.greet(link, b"")
        except PlaceError:  # the client sees whose socket it is
            status = 1
            with socket.socket(socket.AF_UNIX) as link:
                link.connect(str(place.socket))
                time.sleep(delay)
                try:
                    link.sendall(protocol.hello(bytes(16)))
                    answer = link.recv(100)
                except (BrokenPipeError, ConnectionResetError):  # it has hung up already
                    answer = b""
                status = 0 if not answer.startswith(protocol.MAGIC) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert "another user" in place.last_words()


def test_worker_that_cannot_start(tmp_path: Path) -> None:
    for python, words in (("/nonexistent/python", "No such file"), ("/bin/false", "status 1")):
        launch = Launch(python, runtime=str(tmp_path / "r"))
        with pytest.raises(WorkerError, match=words) as e:
            client.ping(launch)
        assert e.value.kind == "start" and f"{python} -I -u -m nuggy_nodes.bridge" in str(e.value)


def test_quit_when_there_is_none(tmp_path: Path) -> None:
    place = Place(tmp_path / "r")
    assert client.quit(place) is False
    with pytest.raises(Unreachable):
        place.connect(1)


def test_worker_of_replaced_code_ends_before_it_serves(tmp_path: Path) -> None:
    place = Place(tmp_path / "r")
    old = Server(place, work=lambda *a: protocol.Message({}), current=lambda: False)
    thread = threading.Thread(target=old.serve)
    thread.start()
    wait_for(lambda: place.socket.exists() or place.card.exists())
    with pytest.raises(Unreachable):
        wire.reach(place)
    thread.join(10)
    assert not thread.is_alive() and not place.socket.exists() and not place.card.exists()
