import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nuggy_nodes.core import InputError, Network, View
from nuggy_nodes.core.network.device import out_of_memory
from nuggy_nodes.core.network.metadata import Info
from nuggy_nodes.core.segment import asking, consensus, predict
from nuggy_nodes.core.segment.predict import run_squares
from nuggy_nodes.core.segment.views import PAIR


class HalfGrid(torch.nn.Module):
    """Stands for the network: answers the green channel's 2x2 means as logits, and notes what it was given."""

    def __init__(self, limit=99):
        super().__init__()
        self.anchor = torch.nn.Parameter(torch.zeros(1))
        self.limit, self.sizes, self.tried = limit, [], []

    def forward(self, x):
        self.tried.append(len(x))
        if len(x) > self.limit:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate")
        self.sizes.append(tuple(x.shape))
        return F.avg_pool2d(x[:, 1:2], 2)


def fake(limit=99, **info):
    return Network(HalfGrid(limit), Info(**{"mean": (0, 0, 0), **info}), None)


def test_views_are_combined_on_one_grid(rng):
    image = torch.from_numpy(rng.random((1, 3, 64, 80)).astype(np.float32))
    views = [View(256), View(256, flip=True), View(512, pad=0.15)]
    got = predict.predict(fake(), image, views, "max")
    answers = [torch.sigmoid(v.from_square(F.avg_pool2d(v.to_square(image)[:, 1:2], 2))) for v in views]
    grid = max(a.shape[-1] for a in answers)
    assert got.shape == (1, 1, grid, grid)
    resized = [F.interpolate(a, size=(grid, grid), mode="bilinear", antialias=a.shape[-1] > grid) for a in answers]
    torch.testing.assert_close(got, torch.stack(resized).amax(0))


def test_views_are_fine_by_what_shows_the_photograph(monkeypatch):
    """Counted on a ramp: each column of it is another value, the continued border's are the same."""
    told = []
    monkeypatch.setattr(asking, "combine", lambda stack, how, sizes, padded: told.append((sizes, padded)) or stack[0])
    views = [View(512, pad=0.5), View(320, pad=0.1), View(256)]
    ramp = torch.linspace(0, 1, 2000).expand(1, 3, 40, 2000)
    predict.predict(fake(), ramp, views, "regions")
    counted = [len(v.to_square(ramp)[0, 0, v.size // 2].unique()) for v in views]
    assert told == [(counted, [True, True, False])] and counted[0] < counted[1]


def test_normalisation_follows_the_weights():
    net = fake(mean=(0.1, 0.2, 0.3), std=(1, 2, 1))
    got = predict.predict(net, torch.full((1, 3, 8, 8), 0.5), [View(256)])
    torch.testing.assert_close(got, torch.full_like(got, float(torch.sigmoid(torch.tensor(0.15)))))


def test_progress_order_and_chunk_halving():
    net, calls = fake(limit=1), []
    images = torch.rand(3, 3, 40, 40)
    got = predict.predict(net, images, PAIR, chunk=4, progress=lambda d, t: calls.append((d, t)))
    assert calls[0] == (0, 6) and calls[-1] == (6, 6) and [d for d, _ in calls] == sorted(d for d, _ in calls)
    assert all(s[0] == 1 for s in net.model.sizes)
    for i in range(3):
        assert torch.equal(got[i : i + 1], predict.predict(fake(), images[i : i + 1], PAIR))


def test_what_memory_allowed_is_remembered_by_those_who_share_it():
    net, images = fake(limit=2), torch.rand(2, 3, 16, 16)
    views, fits = [View(256)] * 5, predict.Chunk(16)
    for _ in range(2):
        predict.predict(net, images[:1], views, chunk=fits)
    assert net.model.tried == [5, 2, 2, 1, 2, 2, 1] and fits.size == 2
    predict.predict(net, images[:1], views, chunk=16)
    assert net.model.tried[-4:] == [5, 2, 2, 1]  # a number of its own begins anew


def test_progress_may_stop_the_work():
    def stop(done, total):
        if done:
            raise KeyboardInterrupt

    net = fake()
    with pytest.raises(KeyboardInterrupt):
        predict.predict(net, torch.rand(5, 3, 16, 16), [View(256)], chunk=1, progress=stop)
    assert len(net.model.sizes) == 1


def test_memory_that_never_suffices_is_an_error():
    with pytest.raises(RuntimeError, match="memory"):
        predict.predict(fake(limit=0), torch.rand(1, 3, 16, 16), [View(256)])
    assert out_of_memory(RuntimeError("CUDA out of memory.")) and not out_of_memory(RuntimeError("shape"))


@pytest.mark.parametrize(
    "images,views,word",
    [
        (torch.rand(1, 4, 8, 8), PAIR, "fourth"),
        (torch.rand(0, 3, 8, 8), PAIR, "empty"),
        (torch.full((1, 3, 8, 8), float("nan")), PAIR, "NaN"),
        (torch.rand(1, 3, 8, 8), [], "view"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), PAIR, "float"),
    ],
)
def test_bad_input_is_refused(images, views, word):
    with pytest.raises(InputError, match=word):
        predict.predict(fake(), images, views)
    with pytest.raises(InputError, match="combined"):
        consensus.combine(torch.rand(2, 1, 1, 4, 4), "vote")


@pytest.mark.slow
def test_real_network_answers_as_onnxruntime_does(network32, chelsea):
    """The default weights (8 bits) in float32 against onnxruntime's answer of the source graph with them in it."""
    from pathlib import Path

    import cv2
    from PIL import Image

    here = Path(__file__).parents[2]
    reference = cv2.imread(str(here / "data" / "chelsea-default.png"), cv2.IMREAD_UNCHANGED).astype(np.float32) / 4095
    image = Image.open(here.parent / "samples" / "chelsea.png").convert("RGB").resize((1024, 1024), Image.BILINEAR)
    square = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255
    difference = np.abs(run_squares(network32, square)[0, 0].numpy() - reference)
    assert difference.mean() < 1e-3 and difference.max() < 0.05


def test_a_frames_mask_does_not_depend_on_its_neighbours(network, chelsea):
    small = [View(256), View(256, flip=True)]
    batch = torch.cat((chelsea, torch.rand_like(chelsea), chelsea.flip(-1)))
    alone = predict.predict(network, chelsea, small)
    assert torch.equal(predict.predict(network, batch, small)[:1], alone)
    assert torch.equal(predict.predict(network, chelsea, small), alone)
