"""Stages of several photographs overlap, few photographs are held, and order and errors are those of one at a time."""

import gc
import threading
import time
import weakref
from pathlib import Path
from typing import ClassVar

import pytest

from nuggy_nodes.cli.jobs import Job
from nuggy_nodes.cli.stream import Stream
from nuggy_nodes.core import NuggyError

SOON = 10.0


class Picture:
    """Counts those alive."""

    alive: ClassVar = weakref.WeakSet()

    def __init__(self, name):
        self.name = name
        Picture.alive.add(self)


class Worker:
    def __init__(self, bad=()):
        self.bad, self.written, self.most = bad, [], 0

    def _try(self, stage, job):
        self.most = max(self.most, len(Picture.alive))
        if (stage, job) in self.bad:
            raise NuggyError(f"{stage} {job}")

    def read(self, job):
        self._try("read", job.source.name)
        return Picture(job.source.name)

    def alone(self, picture):
        return False

    def cut(self, job, picture, report):
        report("network", 0.5)
        self._try("cut", job.source.name)
        return picture.name, {"seconds": {"network": 1.0}}

    def encode(self, pixels, picture):
        self._try("encode", pixels)
        return pixels.encode()

    def write(self, job, data):
        assert threading.current_thread() is threading.main_thread()
        self._try("write", job.source.name)
        self.written.append(data.decode())


def jobs(n, error=()):
    return [Job(Path(str(i)), Path("out"), f"plan {i}" if i in error else "") for i in range(n)]


def run(worker, todo):
    """What each job gave: its seconds' names, or its error."""
    stream, said, before = Stream(worker, todo), [], None

    def finish(turn):
        try:
            said.append(list(stream.finish(turn)["seconds"]))
        except NuggyError as e:
            said.append(str(e))

    for turn in stream.turns(lambda job: lambda stage, share: None):
        if before:
            finish(before)
        before = turn
    finish(before)
    return said


def test_order_and_errors():
    bad = {("read", "2"), ("cut", "3"), ("encode", "5"), ("write", "6")}
    worker = Worker(bad)
    good = ["read", "network", "encode", "write"]
    assert run(worker, jobs(9, error=(0, 8))) == [
        "plan 0", good, "read 2", "cut 3", good, "encode 5", "write 6", good, "plan 8"]  # fmt: skip
    assert worker.written == ["1", "4", "7"]


@pytest.mark.parametrize("n", [1, 2, 40])
def test_few_photographs_are_held(n):
    gc.collect()
    worker = Worker()
    run(worker, jobs(n))
    assert worker.most <= 4 and worker.written == [str(i) for i in range(n)]


def test_a_large_photograph_has_the_memory_to_itself():
    class Large(Worker):
        def alone(self, picture):
            return True

        def cut(self, job, picture, report):
            del picture
            gc.collect()
            self.held.append(len(Picture.alive))
            return str(job.source), {"seconds": {}}

        held: ClassVar = []

    gc.collect()
    worker = Large()
    run(worker, jobs(5))
    assert worker.written == ["0", "1", "2", "3", "4"] and max(worker.held) == 1


def test_stages_overlap():
    """Each stage waits for the one that must be under way beside it; one at a time would wait in vain."""
    reading, encoding = threading.Event(), threading.Event()
    cut_second = threading.Event()

    class Waiting(Worker):
        def read(self, job):
            if job.source.name == "1":
                reading.set()
            return super().read(job)

        def cut(self, job, picture, report):
            if job.source.name == "0":
                assert reading.wait(SOON)
            if job.source.name == "1":
                assert encoding.wait(SOON)
                cut_second.set()
            return super().cut(job, picture, report)

        def encode(self, pixels, picture):
            if pixels == "0":
                encoding.set()
                assert cut_second.wait(SOON)
            return super().encode(pixels, picture)

    worker = Waiting()
    run(worker, jobs(3))
    assert worker.written == ["0", "1", "2"]


def test_an_interrupt_writes_nothing_more():
    class Interrupted(Worker):
        def cut(self, job, picture, report):
            if job.source.name == "2":
                raise KeyboardInterrupt
            return super().cut(job, picture, report)

    worker = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        run(worker, jobs(5))
    assert worker.written == ["0"]


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_result_is_written_before_the_next_photograph_is_cut_out(interrupted):
    """And what was cut out before an interrupt is not lost."""
    from nuggy_nodes.cli import run as cli_run

    encoded = threading.Event()

    class Watched(Worker):
        def cut(self, job, picture, report):
            if job.source.name == "1" and interrupted:
                raise KeyboardInterrupt
            if job.source.name == "1":
                assert encoded.wait(SOON)
                until = time.monotonic() + SOON
                while not self.written and time.monotonic() < until:
                    report("network", 0.5)
            self.seen.append(list(self.written))
            return super().cut(job, picture, report)

        def encode(self, pixels, picture):
            encoded.set()
            return super().encode(pixels, picture)

    worker, entries = Watched(), []
    worker.seen = []
    if interrupted:
        with pytest.raises(KeyboardInterrupt):
            cli_run._each(jobs(3), worker, entries)
        assert worker.written == ["0"] and len(entries) == 1
    else:
        cli_run._each(jobs(3), worker, entries)
        assert worker.seen[1] == ["0"] and worker.written == ["0", "1", "2"] and len(entries) == 3
