"""What the worker computes around the core: samples in and out, masks put together. The network is a stub."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from nuggy_nodes.bridge import work
from nuggy_nodes.bridge.job import Job
from nuggy_nodes.bridge.samples import DTYPES
from nuggy_nodes.bridge.talk import RequestError
from nuggy_nodes.core import Network
from nuggy_nodes.core.network.weights import Info


class Flat(nn.Module):
    """A network that finds the bright half, on a grid half its input's size."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.calls = 0

    def forward(self, squares: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return nn.functional.avg_pool2d(squares.mean(1, keepdim=True), 2) * 40


@pytest.fixture
def worker() -> work.Worker:
    made = work.Worker("cpu")
    made.network._kept[""] = Network(Flat(), Info(), Path("stub"))  # type: ignore[arg-type]
    return made


def picture(channels: int = 3) -> np.ndarray:
    a = np.full((48, 64, channels), 10, np.uint8)
    a[:, 32:] = 240
    if channels in (2, 4):
        a[..., -1] = np.linspace(0, 255, 48).astype(np.uint8)[:, None]
    return a


def ask(worker: work.Worker, job: Job, **blobs: np.ndarray) -> dict[str, np.ndarray]:
    data = {k: v.tobytes() for k, v in blobs.items()}
    assert {k: len(v) for k, v in data.items()} == job.sizes()
    answer = worker(job, data, lambda stage, share: None)
    assert {k: len(v) for k, v in answer.blobs.items()} == job.answer_sizes()
    return {k: np.frombuffer(v, np.uint8) for k, v in answer.blobs.items()}


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("depth", ["u8", "u16", "float"])
def test_every_kind_of_samples(worker: work.Worker, channels: int, depth: str) -> None:
    a = picture(channels)
    samples = {"u8": a, "u16": a.astype(np.uint16) * 257, "float": (a / 255).astype(np.float32)}[depth]
    found = ask(worker, Job(64, 48, channels, depth=depth), pixels=samples)["mask"].reshape(48, 64)
    same = ask(worker, Job(64, 48, channels), pixels=a)["mask"].reshape(48, 64)
    assert np.abs(found.astype(int) - same).max() <= 1
    if channels in (1, 3):
        assert found[:, :24].max() == 0 and found[:, 40:].min() == 255


@pytest.mark.parametrize(("depth", "top"), [("u8", 255), ("u16", 65535), ("float", 1)])
def test_mask_in_the_depth_asked_for(worker: work.Worker, depth: str, top: float) -> None:
    found = ask(worker, Job(64, 48, 3, mask_depth=depth), pixels=picture())["mask"].view(DTYPES[depth])
    assert found.max() == top and found.min() == 0


def test_wild_floats_do_no_harm(worker: work.Worker) -> None:
    a = (picture() / 255).astype(np.float32)
    a[0, :5] = [[np.nan] * 3, [np.inf] * 3, [-np.inf] * 3, [9.0] * 3, [-9.0] * 3]
    found = ask(worker, Job(64, 48, 3, depth="float", mask_depth="float"), pixels=a)["mask"].view(np.float32)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("how", ["replace", "intersect", "add"])
def test_existing_mask_and_selection(worker: work.Worker, how: str) -> None:
    new = ask(worker, Job(64, 48, 3), pixels=picture())["mask"].reshape(48, 64).astype(int)
    old = np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1))
    selection = np.zeros((48, 64), np.uint8)
    selection[10:20] = 255
    selection[20:30] = 128
    job = Job(64, 48, 3, existing=how, has_mask=True, has_selection=True)
    found = ask(worker, job, pixels=picture(), mask=old, selection=selection)["mask"].reshape(48, 64).astype(int)
    whole = {"replace": new, "intersect": np.minimum(new, old), "add": np.maximum(new, old)}[how]
    share = selection / 255
    assert np.abs(found - (whole * share + old * (1 - share))).max() <= 1
    assert (found[:10] == old[:10]).all() and np.abs(found[10:20] - whole[10:20]).max() == 0


def test_layer_and_preview(worker: work.Worker) -> None:
    a = (picture(4) / 255).astype(np.float32)
    a[..., :3] *= 1.5  # beyond sRGB
    layer = ask(worker, Job(64, 48, 4, depth="float", want="layer"), pixels=a)["layer"].view(np.float32)
    layer = layer.reshape(48, 64, 4)
    kept = (layer[..., 3] == a[..., 3]) & (a[..., 3] > 0.01)
    assert kept.any() and np.allclose(layer[..., :3][kept], a[..., :3][kept], atol=1e-6)
    assert (layer[..., 3] <= a[..., 3] + 1e-6).all()
    both = ask(worker, Job(64, 48, 3, want="preview"), pixels=picture())
    assert (both["layer"].reshape(48, 64, 4)[..., 3] == both["mask"].reshape(48, 64)).all()


@pytest.mark.parametrize("foreground", ["multilevel", "none"])
def test_the_layer_holds_nothing_of_the_background(worker: work.Worker, foreground: str) -> None:
    """Two layers that differ far outside the subject only, beyond sRGB there, give the same cut-out."""
    a = (picture() / 255).astype(np.float32)
    b = a.copy()
    b[:, :8] = np.random.default_rng(1).uniform(-2, 0.04, (48, 8, 3))
    job = Job(64, 48, 3, depth="float", want="layer", settings={"foreground": foreground, "detail": 0})
    one, two = (ask(worker, job, pixels=x)["layer"].view(np.float32).reshape(48, 64, 4) for x in (a, b))
    assert np.array_equal(one, two) and (one[:, :8, 3] == 0).all() and np.allclose(one[:, :8, :3], 240 / 255, atol=0.02)


def test_the_layers_own_colours_behind_a_mask(worker: work.Worker) -> None:
    """Multi-level is the default of the layer; the preview shows what it is asked for."""
    a = picture()
    a[:, 30:34] = 130  # a soft edge
    shown = {
        how: ask(worker, Job(64, 48, 3, want="preview", settings={"foreground": how}), pixels=a)["layer"]
        for how in ("none", "multilevel")
    }
    assert not np.array_equal(shown["none"], shown["multilevel"])
    assert np.array_equal(ask(worker, Job(64, 48, 3, want="preview"), pixels=a)["layer"], shown["multilevel"])
    plain = shown["none"].reshape(48, 64, 4)
    seen = plain[..., 3] > 0
    assert np.array_equal(plain[seen][:, :3], a[seen])


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (Job(64, 48, 3, settings={"foreground": "all"}), "foreground"),
        (Job(64, 48, 3, recipe="magic"), "magic"),
        (Job(64, 48, 3, settings={"speed": 3}), "speed"),
        (Job(64, 48, 3, settings={"views": [1]}), "views"),
        (Job(64, 48, 3, settings={"gamma": [1]}), "gamma"),
        (Job(64, 48, 3, settings={"black": 0.9, "white": 0.1}), "black"),
    ],
)
def test_settings_out_of_range(worker: work.Worker, job: Job, words: str) -> None:
    with pytest.raises(RequestError, match=words) as e:
        ask(worker, job, pixels=picture())
    assert e.value.kind == "input"


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: not enough memory: you tried...")])
def test_out_of_memory(worker: work.Worker, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(work, "look", fail)
    with pytest.raises(RequestError, match="64x48 pixels need more memory") as e:
        ask(worker, Job(64, 48, 3), pixels=picture())
    assert e.value.kind == "memory"


def test_what_report_raises_ends_the_work(worker: work.Worker) -> None:
    class Gone(Exception):
        pass

    def report(stage: str, share: float) -> None:
        if stage == "refine":
            raise Gone

    with pytest.raises(Gone):
        worker(Job(64, 48, 3), {"pixels": picture().tobytes()}, report)
