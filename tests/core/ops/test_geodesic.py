"""Geodesic distance against Dijkstra's algorithm on the same graph."""

from __future__ import annotations

import heapq
import math

import pytest
import torch

from nuggy_nodes.core.ops.geodesic import NEIGHBOURS, geodesic


def dijkstra(picture, seed, contrast):
    h, w = seed.shape
    distance = {tuple(at): 0.0 for at in seed.nonzero().tolist()}
    heap = [(0.0, at) for at in distance]
    colour = picture.double().permute(1, 2, 0).numpy()
    while heap:
        d, (y, x) = heapq.heappop(heap)
        if d > distance[(y, x)]:
            continue
        for dy, dx in NEIGHBOURS:
            to = (y + dy, x + dx)
            if 0 <= to[0] < h and 0 <= to[1] < w:
                change = math.sqrt(((colour[to] - colour[y, x]) ** 2).sum())
                far = d + math.hypot(dy, dx) + contrast * change
                if far < distance.get(to, math.inf):
                    distance[to] = far
                    heapq.heappush(heap, (far, to))
    return torch.tensor([[distance.get((y, x), math.inf) for x in range(w)] for y in range(h)])


@pytest.mark.parametrize("contrast", [0.0, 7.0])
def test_it_is_dijkstras_distance_within_its_reach(contrast):
    g = torch.Generator().manual_seed(2)
    picture = torch.rand(3, 14, 19, generator=g)
    seed = torch.rand(14, 19, generator=g) > 0.98
    assert seed.any()
    want = dijkstra(picture, seed, contrast)
    assert torch.allclose(geodesic(picture, seed, contrast, 500), want, atol=1e-4)
    near = want <= 6
    assert torch.allclose(geodesic(picture, seed, contrast, 6)[near], want[near], atol=1e-4)


def test_an_edge_is_as_long_as_its_contrast():
    picture = torch.zeros(1, 3, 10)
    picture[..., 5:] = 1
    seed = torch.zeros(3, 10, dtype=torch.bool)
    seed[:, 0] = True
    distance = geodesic(picture, seed, 20.0, 100)
    assert torch.equal(distance[1, :5], torch.arange(5.0)) and float(distance[1, 5]) == 25


def test_without_a_seed_all_is_infinitely_far():
    assert bool(geodesic(torch.zeros(1, 3, 3), torch.zeros(3, 3, dtype=torch.bool), 1.0, 5).isinf().all())
