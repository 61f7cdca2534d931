"""Threads with pieces of their own: all done, torch alone in each, the caller's settings as they were."""

import os
import sys

import pytest
import torch

from nuggy_nodes.core.ops.thread_pool import for_each


@pytest.fixture(params=[1, 3])
def threads(request):
    had = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(had)


def test_every_piece_once_and_alone(threads):
    counts, inside, modes = [0] * 40, set(), set()

    def work(i):
        counts[i] += 1
        inside.add(torch.get_num_threads())
        modes.add(torch.is_inference_mode_enabled())

    with torch.inference_mode():
        for_each(work, range(40))
    assert counts == [1] * 40 and inside == {1} and modes == {True}
    assert torch.get_num_threads() == threads
    for_each(lambda i: modes.add(torch.is_inference_mode_enabled()), range(2))
    assert modes == {True, False}
    for_each(work, [])


def test_an_exception_comes_out_after_the_rest(threads):
    done = []

    def work(i):
        if i == 1:
            raise ValueError("one")
        done.append(i)

    with pytest.raises(ValueError, match="one"):
        for_each(work, range(6))
    assert threads == 1 or sorted(done) == [0, 2, 3, 4, 5]
    for_each(done.append, [7])
    assert done[-1] == 7


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")
def test_a_forked_child_has_threads_of_its_own():
    import subprocess

    code = (
        "import os, torch; from nuggy_nodes.core.ops.thread_pool import for_each; torch.set_num_threads(2); seen = []\n"
        "for_each(seen.append, range(4)); child = os.fork(); for_each(seen.append, range(4))\n"
        "os._exit(0) if child == 0 else exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    root = os.path.dirname(os.path.dirname(sys.modules["nuggy_nodes"].__file__))
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env={**os.environ, "PYTHONPATH": root})
