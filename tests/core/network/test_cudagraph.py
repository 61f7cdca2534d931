"""The bookkeeping of CUDA graphs: what is recorded when, and what makes a recording void. The recording itself is put
through a torch.cuda made of stand-ins; that a GPU replays what was recorded, benchmarks/gpu.py checks on one."""

import contextlib

import pytest
import torch

from nuggy_nodes.core.network import cudagraph
from nuggy_nodes.core.network.cudagraph import Replays
from nuggy_nodes.core.network.isnet import ISNet


class Recorder:
    """Stands for capture: a replay computes with the weights that lay in memory when it was recorded."""

    def __init__(self):
        self.recorded, self.replayed = [], 0

    def __call__(self, model, x):
        self.recorded.append(tuple(x.shape))
        weight = model.weight.data

        def replay(new):
            self.replayed += 1
            return torch.nn.functional.linear(new, weight, model.bias.data)

        return replay


@pytest.fixture
def model():
    torch.manual_seed(0)
    return torch.nn.Linear(3, 2)


@pytest.fixture
def recorder():
    return Recorder()


def test_a_shape_is_recorded_when_it_comes_again(model, recorder):
    replays = Replays(recorder)
    for i, n in enumerate((4, 5, 4, 4, 5, 4)):
        x = torch.rand(n, 3)
        torch.testing.assert_close(replays(model, x), model(x))
        assert recorder.replayed == (0, 0, 1, 2, 3, 4)[i]
    assert recorder.recorded == [(4, 3), (5, 3)]


def test_dtypes_are_recorded_apart(model, recorder):
    replays = Replays(recorder)
    x = torch.rand(4, 3)
    replays(model, x)
    with contextlib.suppress(RuntimeError):  # the model itself refuses float64
        replays(model, x.double())
    assert recorder.recorded == []


def test_weights_that_moved_are_recorded_anew(model, recorder):
    replays, x = Replays(recorder), torch.rand(4, 3)
    for _ in range(3):
        replays(model, x)
    model.weight.data = torch.rand(2, 3)
    for _ in range(3):
        torch.testing.assert_close(replays(model, x), model(x))
    assert len(recorder.recorded) == 2


def test_weights_elsewhere_run_plainly(model, recorder, monkeypatch):
    replays, x = Replays(recorder), torch.rand(4, 3)
    monkeypatch.setattr(cudagraph, "_addresses", lambda model, device: ())
    for _ in range(4):
        replays(model, x)
    assert recorder.recorded == []


def test_addresses(model):
    assert cudagraph._addresses(model, torch.device("cpu")) == (model.weight.data_ptr(), model.bias.data_ptr())
    assert cudagraph._addresses(model, torch.device("meta")) == ()


def test_the_longest_unused_shape_goes(model, recorder):
    replays = Replays(recorder, most=2)
    for n in (1, 1, 2, 2, 1, 3, 3, 1, 2):
        replays(model, torch.rand(n, 3))
    assert recorder.recorded == [(1, 3), (2, 3), (3, 3)]  # the last 2 is new again, and runs plainly


def test_a_failed_recording_ends_recording(model):
    calls = []

    def fail(model, x):
        calls.append(1)
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    replays, x = Replays(fail), torch.rand(4, 3)
    for _ in range(5):
        torch.testing.assert_close(replays(model, x), model(x))
    assert len(calls) == 1


def test_other_devices_and_learning_never_record(model, monkeypatch):
    monkeypatch.setattr(cudagraph, "capture", lambda *a: pytest.fail("recorded"))
    for _ in range(3):
        cudagraph.run(model, torch.rand(4, 3))
        with torch.inference_mode():
            cudagraph.run(model, torch.rand(4, 3))


def test_moving_the_network_gives_its_graphs_back():
    with torch.device("meta"):
        net = ISNet()
    cudagraph._replays[net] = Replays(lambda *a: pytest.fail("recorded"))
    net.half()
    assert net not in cudagraph._replays


def test_recording_in_its_order(model, monkeypatch):
    """The steps of capture: warm up on a side stream that has waited, record, then copy in, replay, copy out."""
    steps, pools = [], []

    class Stream:
        def __init__(self, device=None):
            pass

        def wait_stream(self, other):
            steps.append("wait")

    @contextlib.contextmanager
    def entered(name, pool=None):
        steps.append(name)
        pools.extend([pool] if pool else [])
        yield
        steps.append("/" + name)

    class Graph:
        def replay(self):
            steps.append("replay")

    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "current_stream", Stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda s: entered("side"))
    monkeypatch.setattr(torch.cuda, "device", lambda d: contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", lambda g, pool, capture_error_mode: entered("record", pool))
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: (0, len(pools) + 1))
    forward = model.forward
    monkeypatch.setattr(model, "forward", lambda x: steps.append("pass") or forward(x))
    x = torch.rand(4, 3)
    with torch.inference_mode():
        replay = cudagraph.capture(model, x)
        first = replay(x)
        second = replay(torch.rand(4, 3))
    assert steps == ["wait", "side", "pass", "pass", "/side", "wait", "record", "pass", "/record", "replay", "replay"]
    assert first.data_ptr() != second.data_ptr()
    with torch.inference_mode():
        cudagraph.capture(model, torch.rand(2, 3))
        cudagraph.forget(model)
        cudagraph.capture(model, x)
    assert pools == [(0, 1), (0, 1), (0, 3)]  # one network's graphs share their memory, until they are forgotten
