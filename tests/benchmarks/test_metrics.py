"""The benchmark's figures against oracles that share no code with them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks import metrics

RNG = np.random.default_rng(0)


def random_pair(height: int = 23, width: int = 31) -> tuple[np.ndarray, np.ndarray]:
    return tuple(RNG.random((2, height, width), dtype=np.float32))  # type: ignore[return-value]


def test_sums_by_hand() -> None:
    a = np.array([[0.0, 0.5], [1.0, 0.25]], np.float32)
    t = np.array([[0.0, 1.0], [0.0, 0.25]], np.float32)
    assert metrics.sad(a, t) == pytest.approx(1.5 / 1000)
    assert metrics.mse(a, t) == pytest.approx(1000 * (0.25 + 1) / 4)


def test_a_perfect_answer_has_no_error() -> None:
    t = random_pair()[0]
    for error in (metrics.sad, metrics.mse, metrics.gradient, metrics.connectivity):
        assert error(t, t) == 0


def test_gradient_against_scipy() -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    a, t = random_pair()

    def magnitude(x: np.ndarray) -> np.ndarray:
        kw = {"sigma": 1.4, "mode": "nearest", "radius": 5}
        x = x.astype(np.float64)
        return np.hypot(ndimage.gaussian_filter(x, order=(0, 1), **kw), ndimage.gaussian_filter(x, order=(1, 0), **kw))

    expected = ((magnitude(a) - magnitude(t)) ** 2).sum() / 1000
    assert metrics.gradient(a, t) == pytest.approx(expected, rel=5e-3)  # scipy does not rescale the cut-off kernel


def test_gradient_of_a_ramp_is_its_slope() -> None:
    ramp = np.tile(np.arange(40, dtype=np.float32) / 100, (30, 1))
    inner = metrics._gradient(ramp)[:, 8:-8]
    assert np.allclose(inner, 0.01)


def test_connectivity_counts_what_hangs_off() -> None:
    t = np.zeros((20, 20), np.float32)
    t[2:10, 2:10] = 1
    a = t.copy()
    a[14:18, 14:18] = 0.8  # an island the truth lacks: level 0, so 0.8 off in 16 pixels
    assert metrics.connectivity(a, t) == pytest.approx(16 * 0.8 / 1000, abs=1e-9)


def test_connectivity_against_a_flood_fill() -> None:
    measure = pytest.importorskip("skimage.measure")
    a, t = random_pair(15, 17)
    level = np.zeros(a.shape)
    last = np.ones(a.shape, bool)
    for i in range(1, 11):
        labels = measure.label((a >= i / 10) & (t >= i / 10), connectivity=1)
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        last &= (labels == sizes.argmax()) if sizes.any() else False
        level[last] = i / 10

    def phi(x: np.ndarray) -> np.ndarray:
        return np.where(x - level >= 0.15, 1 - (x - level), 1)

    assert metrics.connectivity(a, t) == pytest.approx(np.abs(phi(a) - phi(t)).sum() / 1000)


@pytest.mark.parametrize(("width", "thin"), [(1, True), (2, True), (3, True), (4, False), (7, False)])
def test_thin_is_under_four_pixels(width: int, thin: bool) -> None:
    t = np.zeros((60, 60), np.float32)
    t[10:50, 20 : 20 + width] = 1
    t[20 : 20 + width, 5:55] = 1
    found = metrics.thin_parts(t)
    assert found[35, 20 : 20 + width].all() == thin
    assert found[35].sum() == (width if thin else 0)


def test_a_body_is_not_thin_and_the_frame_is_no_edge() -> None:
    y, x = np.mgrid[:80, :80]
    t = (np.hypot(x - 40, y - 40) < 30).astype(np.float32)
    assert not metrics.thin_parts(t).any()
    t = np.zeros((40, 40), np.float32)
    t[:, :2] = 1  # two visible columns of a body that goes on outside
    assert not metrics.thin_parts(t).any()


def test_thin_recall() -> None:
    t = np.zeros((60, 60), np.float32)
    t[10:50, 20] = 1
    assert metrics.thin_recall(t, t) == 1
    assert metrics.thin_recall(t * 0.25, t) == pytest.approx(0.25)
    assert metrics.thin_recall(np.ones_like(t), t) == 1
    assert math.isnan(metrics.thin_recall(t, np.zeros_like(t)))


def test_sizes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"\(3, 4\) and \(4, 3\)"):
        metrics.sad(np.zeros((3, 4), np.float32), np.zeros((4, 3), np.float32))
