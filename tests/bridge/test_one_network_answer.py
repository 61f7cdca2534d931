"""Previews and result of one layer: the network is asked once, and what is shown is what OK gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from nuggy_nodes.bridge import memory, work
from nuggy_nodes.bridge.job import Job
from nuggy_nodes.bridge.protocol import ProtocolError
from nuggy_nodes.bridge.talk import Gone, RequestError
from nuggy_nodes.core import Guidance, Network, cutout
from nuggy_nodes.core.network.weights import Info

HEIGHT, WIDTH = 900, 1500


class Bright(nn.Module):
    """Finds what is bright, with a convolution, on a grid half its input's size; counts the squares it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.squares = 0

    def forward(self, squares: torch.Tensor) -> torch.Tensor:
        self.squares += len(squares)
        mean = torch.full((1, 3, 2, 2), 1 / 12)
        return nn.functional.conv2d(squares, mean, stride=2) * 40


@pytest.fixture
def network() -> Network:
    return Network(Bright(), Info(), Path("stub"))  # type: ignore[arg-type]


@pytest.fixture
def worker(network: Network) -> Iterator[work.Worker]:
    made = work.Worker("cpu")
    made.network._kept[""] = network
    yield made


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """A bright disc, and a bright bar beside it."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    a = np.full((HEIGHT, WIDTH, 3), 20, np.uint8)
    a[np.hypot(rows - 450, columns - 500) < 300] = (240, 230, 220)
    a[100:800, 1100:1300] = (200, 210, 230)
    return a


def job(**more: Any) -> Job:
    return Job(WIDTH, HEIGHT, 3, **{"key": "a", **more})


def ask(worker: work.Worker, wanted: Job, picture: np.ndarray, **planes: np.ndarray) -> dict[str, np.ndarray]:
    blobs = {"pixels": picture, **planes}
    data = {n: blobs[n].tobytes() for n in wanted.sizes()}
    assert {n: len(d) for n, d in data.items()} == wanted.sizes()
    answer = worker(wanted, data, lambda stage, share: None)
    assert {n: len(d) for n, d in answer.blobs.items()} == wanted.answer_sizes()
    return {n: np.frombuffer(d, np.uint8) for n, d in answer.blobs.items()} | {"found": answer.fields["found"]}


def oracle(network: Network, picture: np.ndarray, guidance: Guidance | None = None) -> np.ndarray:
    x = torch.from_numpy(picture / np.float32(255)).permute(2, 0, 1)[None]
    alpha = cutout(x, network, "balanced", guidance=guidance).alpha[0, 0].numpy()
    return np.round(alpha * 255).astype(int)


@pytest.mark.slow
def test_once_for_previews_and_result(worker: work.Worker, network: Network, picture: np.ndarray) -> None:
    quick = {"want": "preview", "exact": False, "shown": (500, 300)}
    ask(worker, job(**quick), picture)
    once = network.model.squares
    assert once == 2  # balanced's views of a subject that the frame does not cut off
    for changes in ({"gamma": 0.5}, {"islands": "all"}, {"radius": 5.0, "shift_edge": -2.0}):
        ask(worker, job(**quick, has_pixels=False, settings=changes), picture)
        ask(worker, job(want="preview", has_pixels=False, shown=(500, 300), settings=changes), picture)
    ask(worker, job(has_pixels=False, existing="add"), picture)
    assert network.model.squares == once
    found = ask(worker, job(has_pixels=False), picture)["mask"].reshape(HEIGHT, WIDTH)
    assert network.model.squares == once
    assert np.abs(found - oracle(network, picture)).max() <= 1
    ask(worker, job(has_pixels=False, recipe="fast"), picture)  # other views: one square more
    assert network.model.squares == 2 * once + 1  # (the oracle's too)


def test_preview_of_a_part_is_the_result(worker: work.Worker, picture: np.ndarray) -> None:
    view = (120, 90, 640, 480)
    whole = ask(worker, job(), picture)["mask"].reshape(HEIGHT, WIDTH)
    seen = ask(worker, job(want="preview", view=view, has_pixels=False), picture)
    assert np.array_equal(seen["mask"].reshape(480, 640), whole[90:570, 120:760])
    assert np.array_equal(seen["layer"].reshape(480, 640, 4)[..., 3], seen["mask"].reshape(480, 640))


def test_first_look_is_near_the_result(worker: work.Worker, picture: np.ndarray) -> None:
    quick = ask(worker, job(want="preview", exact=False, shown=(500, 300)), picture)["mask"].astype(int)
    exact = ask(worker, job(want="preview", shown=(500, 300)), picture)["mask"].astype(int)
    assert np.abs(quick - exact).mean() < 1.5 and 50 < exact.mean() < 200


def test_pixels_that_are_gone_are_asked_for(
    worker: work.Worker, network: Network, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RequestError) as e:
        ask(worker, job(has_pixels=False), picture)
    assert e.value.kind == "unknown"
    first = ask(worker, job(), picture)["mask"]
    monkeypatch.setattr(memory, "RESTING", 1000)
    worker.rest()
    with pytest.raises(RequestError):
        ask(worker, job(has_pixels=False), picture)
    assert np.array_equal(ask(worker, job(), picture)["mask"], first) and network.model.squares == 2
    with pytest.raises(RequestError):  # the same name, another size
        ask(worker, Job(HEIGHT, WIDTH, 3, key="a", has_pixels=False), picture)


def test_memory_is_bounded(worker: work.Worker) -> None:
    small = np.full((40, 40, 3), 200, np.uint8)
    for i in range(memory.ANSWERS + 3):
        ask(worker, Job(40, 40, 3, key=str(i), recipe="fast"), small)
    assert len(worker.memory.answers) == memory.ANSWERS


def selected() -> np.ndarray:
    plane = np.zeros((HEIGHT, WIDTH), np.uint8)
    plane[120:780, 180:820] = 255
    return plane


@pytest.mark.slow
def test_selection_as_box(worker: work.Worker, network: Network, picture: np.ndarray) -> None:
    found = ask(worker, job(selection="box", has_selection=True), picture, selection=selected())["mask"]
    expected = oracle(network, picture, Guidance(boxes=((180, 120, 640, 660),)))
    assert np.abs(found.reshape(HEIGHT, WIDTH) - expected).max() <= 1
    assert expected[:, 1100:].max() == 0 and oracle(network, picture)[:, 1100:].max() == 255
    squares = network.model.squares
    quick = job(selection="box", has_selection=True, want="preview", exact=False, shown=(500, 300))
    seen = ask(worker, quick, picture, selection=selected())["mask"].reshape(300, 500)
    assert seen[:, 370:].max() == 0 and seen.max() == 255 and network.model.squares == squares


@pytest.mark.slow
def test_selection_as_rough_subject(worker: work.Worker, network: Network, picture: np.ndarray) -> None:
    found = ask(worker, job(selection="subject", has_selection=True), picture, selection=selected())["mask"]
    rough = torch.from_numpy(selected() / np.float32(255))[None, None]
    assert np.abs(found.reshape(HEIGHT, WIDTH) - oracle(network, picture, Guidance(mask=rough))).max() <= 1
    worker.network = None  # type: ignore[assignment] # no network is asked
    ask(worker, job(selection="subject", has_selection=True, has_pixels=False), picture, selection=selected())


@pytest.mark.slow
def test_mask_of_the_layer_is_refined(worker: work.Worker, network: Network, picture: np.ndarray) -> None:
    wanted = job(start="mask", has_mask=True)
    found = ask(worker, wanted, picture, mask=selected())["mask"].reshape(HEIGHT, WIDTH)
    rough = torch.from_numpy(selected() / np.float32(255))[None, None]
    expected = oracle(network, picture, Guidance(mask=rough))
    assert np.abs(found - expected).max() <= 1 and not np.array_equal(found, selected())
    for wide in (3.0, 60.0):  # of the same layer and mask
        found = ask(worker, job(start="mask", has_mask=True, uncertainty=wide), picture, mask=selected())["mask"]
        wanted_now = oracle(network, picture, Guidance(mask=rough, uncertainty=wide))
        assert np.abs(found.reshape(HEIGHT, WIDTH) - wanted_now).max() <= 1 and np.abs(wanted_now - expected).max() > 9
    limited = job(start="mask", has_mask=True, has_selection=True)
    half = np.zeros((HEIGHT, WIDTH), np.uint8)
    half[:, :500] = 255
    found = ask(worker, limited, picture, mask=selected(), selection=half)["mask"].reshape(HEIGHT, WIDTH)
    assert np.abs(found[:, :500] - expected[:, :500]).max() <= 1
    assert np.array_equal(found[:, 500:], selected()[:, 500:])


@pytest.mark.slow
def test_strokes(worker: work.Worker, network: Network, picture: np.ndarray) -> None:
    drop = np.zeros((HEIGHT, WIDTH), np.uint8)
    drop[300:320, 1150:1250] = 255
    found = ask(worker, job(has_drop=True), picture, drop=drop)["mask"].reshape(HEIGHT, WIDTH)
    expected = oracle(network, picture, Guidance(drop=torch.from_numpy((drop > 0).astype(np.float32))[None, None]))
    assert np.abs(found - expected).max() <= 1 and found[300:320, 1150:1250].max() == 0
    assert (expected[:, 1100:1300] > 0).mean() < 0.6  # of .78: much of the bar goes
    assert network.model.squares == 4
    small = np.ascontiguousarray(drop[::2, ::2])
    again = ask(worker, job(has_drop=True, marks=(WIDTH // 2, HEIGHT // 2)), picture, drop=small)["mask"]
    assert np.abs(again.reshape(HEIGHT, WIDTH).astype(int) - found).mean() < 1
    opposite = ask(worker, job(has_keep=True), picture, keep=drop)["mask"].reshape(HEIGHT, WIDTH)
    assert opposite[310, 1200] == 255  # the same stroke, said the other way
    quick = job(has_drop=True, want="preview", exact=False, shown=(500, 300), has_pixels=False)
    seen = ask(worker, quick, picture, drop=drop)["mask"].reshape(300, 500)
    assert (seen[:, 367:433] > 0).mean() < 0.6 and seen[150, 166] == 255


@pytest.mark.slow
def test_a_second_stroke_does_not_refine_the_whole_again(
    worker: work.Worker, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop, more = np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    drop[300:320, 1150:1250] = more[300:320, 1150:1250] = more[500:520, 1150:1250] = 255
    views = [{"exact": False, "shown": (500, 300)}, {"shown": (500, 300)}]
    for v in views:
        ask(worker, job(want="preview", has_drop=True, **v), picture, drop=drop)
    refined = []
    whole = work.after_network
    monkeypatch.setattr(work, "after_network", lambda *a: refined.append(1) or whole(*a))
    for v in views:
        ask(worker, job(want="preview", has_drop=True, **v), picture, drop=more)
    assert not refined
    ask(worker, job(has_drop=True, settings={"gamma": 0.5}), picture, drop=more)
    assert refined


def test_nothing_found_is_told(worker: work.Worker) -> None:
    dark = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    assert ask(worker, job(), dark)["found"] is False
    assert ask(worker, job(key="b"), dark + 250)["found"] is True


def test_cancelled_within_a_pass(worker: work.Worker, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever hangs up is noticed before the next operation, and the next job goes on as if nothing had been."""
    from nuggy_nodes.bridge import watch

    monkeypatch.setattr(watch, "OFTEN", -1.0)
    shares, after = [], 40

    def report(stage: str, share: float) -> None:
        shares.append((stage, share))
        if stage == "network" and len(shares) > after:
            raise Gone(stage)

    with pytest.raises(Gone):
        worker(job(), {"pixels": picture.tobytes()}, report)
    assert len(shares) == after + 1  # not one operation more
    moving = [share for stage, share in shares if stage == "network"]
    assert moving == sorted(moving)
    assert ask(worker, job(has_pixels=False), picture)["found"] is True


@pytest.mark.parametrize(
    "wrong",
    [
        {"want": "preview", "view": (0, 0, WIDTH + 1, 10)},
        {"want": "preview", "view": (0, 0, 0, 10)},
        {"want": "preview", "view": (0, 0, 10)},
        {"want": "preview", "shown": (100_000, 10)},
        {"want": "preview", "view": [True, 0, 5, 5]},
        {"start": "mask"},
        {"selection": "everything"},
        {"has_keep": 1},
        {"uncertainty": -1.0},
        {"uncertainty": float("nan")},
        {"uncertainty": True},
        {"marks": (WIDTH + 1, 5)},
        {"view": (0, 0, 5, 5)},
    ],
)
def test_requests_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        job(**wrong)


def test_a_selection_that_misses_the_layer(worker: work.Worker, picture: np.ndarray) -> None:
    nothing = np.zeros((HEIGHT, WIDTH), np.uint8)
    with pytest.raises(RequestError, match="empty on this layer"):
        ask(worker, job(selection="box", has_selection=True), picture, selection=nothing)
