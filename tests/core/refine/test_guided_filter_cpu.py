"""The guided filter's tiles and threads: they do not show."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nuggy_nodes.core.refine import guided_filter as module
from nuggy_nodes.core.refine import guided_filter_cpu
from nuggy_nodes.core.refine.guided_filter import guided_filter


def tensor(x):
    x = torch.from_numpy(np.ascontiguousarray(x, np.float32))
    return x[None, None] if x.ndim == 2 else x.permute(2, 0, 1)[None]


@pytest.mark.parametrize("shape,radius", [((90, 20), 4), ((61, 83), 4), ((5, 200), 9), ((120, 7), 30)])
@pytest.mark.parametrize("channels", [1, 3])
def test_tiles_and_strips_give_what_one_piece_gives(rng, monkeypatch, shape, radius, channels):
    guide, src = torch.from_numpy(rng.random((channels, *shape), np.float32)), tensor(rng.random(shape))[0, 0]
    whole = module.filter_strips(guide, src, 0.5, radius, 1e-3)
    for side, band, cell in ((1, 1, 1), (1, 8 * radius * shape[1] * 2, 100), (10**4, 10**6, 64), (30, 10**6, 10**6)):
        monkeypatch.setattr(guided_filter_cpu, "TILE", (side, side))
        monkeypatch.setattr(guided_filter_cpu, "BAND", band)
        monkeypatch.setattr(guided_filter_cpu, "CELL", cell)
        got = guided_filter_cpu.filter_tiles(guide, src, 0.5, radius, 1e-3)
        torch.testing.assert_close(got, whole, atol=1e-5, rtol=0)
    monkeypatch.setattr(module, "STRIP", 1)
    torch.testing.assert_close(module.filter_strips(guide, src, 0.5, radius, 1e-3), whole, atol=1e-5, rtol=0)


def test_threads_do_not_show(rng):
    guide, src = tensor(rng.random((900, 1100, 3))), tensor(rng.random((900, 1100)))
    had = torch.get_num_threads()
    try:
        results = []
        for threads in (1, 3):
            torch.set_num_threads(threads)
            results.append(guided_filter(guide, src, 5, 1e-3))
    finally:
        torch.set_num_threads(had)
    assert torch.equal(*results)
