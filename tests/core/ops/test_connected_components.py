"""Connected components: the graph of runs that a GPU works on, and what OpenCV labels on a CPU, against OpenCV's
labelling with statistics. The GPU's path is plain torch and runs here on the CPU."""

import cv2
import numpy as np
import pytest
import torch

from nuggy_nodes.core import InputError
from nuggy_nodes.core.ops import connected_components as module
from nuggy_nodes.core.ops.connected_components import components


def spiral(n):
    """One snake a pixel wide, wound to the middle, with a gap of one pixel."""
    m = np.zeros((n, n), bool)
    y, x, dy, dx, length = 0, 0, 0, 1, n - 1
    m[0, 0] = True
    for turn in range(n):
        for _ in range(length):
            y, x = y + dy, x + dx
            m[y, x] = True
        dy, dx = dx, -dy
        if turn >= 2 and turn % 2 == 0:
            length -= 2
        if length <= 0:
            break
    return m


def snake(height, width):
    """Rows joined at alternate ends: one part, as long as half of its pixels."""
    m = np.zeros((height, width), bool)
    m[::2] = True
    m[1::4, -1] = m[3::4, 0] = True
    return m


def comb(height, width, joined):
    """Teeth joined at the last row only, or not at all."""
    m = np.zeros((height, width), bool)
    m[:, ::2] = True
    m[-1] = joined
    return m


def staircase(n):
    return np.eye(n, dtype=bool) | np.eye(n, dtype=bool)[::-1]


def noise(density, height=301, width=257):
    return np.random.default_rng(int(density * 1000)).random((height, width)) < density


CASES = {
    "empty": np.zeros((20, 30), bool),
    "full": np.ones((20, 30), bool),
    "one": np.ones((1, 1), bool),
    "row": noise(0.5, 1, 200),
    "column": noise(0.5, 200, 1),
    "spiral": spiral(61),
    "snake": snake(200, 91),
    "snake upright": np.ascontiguousarray(snake(200, 91).T),
    "comb": comb(60, 61, True),
    "comb, not joined": comb(60, 61, False),
    "comb, joined above": np.ascontiguousarray(comb(60, 61, True)[::-1]),
    "checkers": np.indices((40, 41)).sum(0) % 2 == 0,
    "stairs": staircase(50),
    "wrapping ends": np.tile(np.array([[1, 0, 0, 1]], bool), (30, 1)),
    "noise, 4-connected percolation": noise(0.593),
    "noise, 8-connected percolation": noise(0.407),
    "noise, thin": noise(0.05),
    "noise, dense": noise(0.95),
}


def torch_path(mask, connectivity, monkeypatch):
    def roots(mask, start, connectivity):
        _, stop, row = module._runs(mask)
        return module._roots_torch(start, stop, row, mask.shape[1], connectivity)

    with monkeypatch.context() as m:
        m.setattr(module, "_roots_opencv", roots)
        return components(mask, connectivity)


def check(mask, connectivity, parts):
    """Areas, boxes and pixels of every part against OpenCV's labels, which are numbered in another order."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=connectivity)
    assert parts.count == count - 1
    mine = np.full(mask.size, -1)
    mine[mask.ravel()] = parts.of_pixels().numpy()
    pairs = np.unique(np.stack((mine, labels.ravel())), axis=1)
    assert pairs.shape[1] == count - (mask.all() and 1)  # a bijection, the outside included
    first = [np.flatnonzero(mine == i)[0] for i in range(min(parts.count, 50))]
    assert first == sorted(first)
    other = pairs[1][pairs[0] >= 0]
    assert np.array_equal(parts.areas().numpy(), stats[other, cv2.CC_STAT_AREA])
    left, top, right, bottom = (b.numpy() for b in parts.boxes())
    assert np.array_equal(left, stats[other, cv2.CC_STAT_LEFT]) and np.array_equal(top, stats[other, cv2.CC_STAT_TOP])
    assert np.array_equal(right - left, stats[other, cv2.CC_STAT_WIDTH])
    assert np.array_equal(bottom - top, stats[other, cv2.CC_STAT_HEIGHT])
    mine[mine < 0] = 0
    odd = torch.arange(parts.count) % 2 == 1
    assert np.array_equal(parts.pixels(odd).numpy(), np.flatnonzero(mine % 2 == 1))


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("name", CASES)
def test_against_opencv(name, connectivity, monkeypatch):
    mask = CASES[name]
    tensor = torch.from_numpy(mask)
    with_opencv = components(tensor, connectivity)
    check(mask, connectivity, with_opencv)
    alone = torch_path(tensor, connectivity, monkeypatch)
    check(mask, connectivity, alone)
    for name in ("start", "stop", "row", "part"):  # the same numbers on every device
        assert torch.equal(getattr(alone, name), getattr(with_opencv, name))


@pytest.mark.parametrize("connectivity,density", [(4, 0.593), (8, 0.407)])
def test_percolating_noise_of_a_photographs_size(connectivity, density, monkeypatch):
    mask = torch.from_numpy(noise(density, 2000, 2500))
    alone, with_opencv = torch_path(mask, connectivity, monkeypatch), components(mask, connectivity)
    assert alone.count == with_opencv.count and torch.equal(alone.part, with_opencv.part)


def test_rounds_grow_slowly(monkeypatch):
    """A part as long as its pixels must not take as many rounds: every round waits for the device."""
    rounds = []
    equal = torch.equal
    monkeypatch.setattr(torch, "equal", lambda a, b: rounds.append(1) or equal(a, b))
    for mask in (snake(4000, 9), snake(9, 4000).T, spiral(601), comb(600, 601, True)[::-1]):
        rounds.clear()
        runs = len(torch_path(torch.from_numpy(np.ascontiguousarray(mask)), 8, monkeypatch).start)
        assert len(rounds) < 1.5 * np.log2(runs)


def test_touched():
    mask = torch.from_numpy(comb(6, 7, False))
    inside = torch.zeros_like(mask)
    inside[3, 2] = inside[0, 6] = True
    assert components(mask).touched(inside).tolist() == [False, True, False, True]
    assert components(mask).touched(torch.zeros_like(mask)).tolist() == [False] * 4


def test_strided_masks():
    mask = torch.from_numpy(noise(0.5, 50, 60))
    assert torch.equal(components(mask.T).part, components(mask.T.contiguous()).part)


@pytest.mark.parametrize("mask,connectivity,word", [
    (torch.ones(2, 2), 8, "bool"), (torch.ones(1, 2, 2, dtype=torch.bool), 8, "height"),
    (torch.ones(2, 2, dtype=torch.bool), 6, "4 or 8")])  # fmt: skip
def test_refusals(mask, connectivity, word):
    with pytest.raises(InputError, match=word):
        components(mask, connectivity)
