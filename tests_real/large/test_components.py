"""Connected parts of masks of 48 megapixels, by both implementations, against OpenCV: exact, pixel by pixel."""

import cv2
import numpy as np
import pytest
import torch

from nuggy_nodes.core.ops import connected_components as module
from tests.core.ops.test_connected_components import comb, snake, spiral, torch_path

HEIGHT, WIDTH = 6000, 8000
SIDE = 6929  # squared, 48 megapixels


def noise(density):
    """Random pixels at about the density where one part first spans the mask."""
    return np.random.default_rng(48).random((HEIGHT, WIDTH), np.float32) < density


MASKS = {
    "noise, 8 neighbours percolate": lambda: noise(0.407),
    "noise, 4 neighbours percolate": lambda: noise(0.593),
    "spiral": lambda: spiral(SIDE),
    "snake": lambda: snake(HEIGHT, WIDTH),
    "snake upright": lambda: np.ascontiguousarray(snake(WIDTH, HEIGHT).T),
    "comb": lambda: comb(HEIGHT, WIDTH, True),
    "full": lambda: np.ones((HEIGHT, WIDTH), bool),
    "empty": lambda: np.zeros((HEIGHT, WIDTH), bool),
}


@pytest.mark.parametrize("way", ["opencv", "torch"])
@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("name", MASKS)
def test_exact(name, connectivity, way, monkeypatch):
    mask = MASKS[name]()
    count, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=connectivity)
    tensor = torch.from_numpy(mask)
    parts = (torch_path(tensor, connectivity, monkeypatch) if way == "torch"
             else module.components(tensor, connectivity))  # fmt: skip
    assert parts.count == count - 1
    mine, theirs = parts.of_pixels().numpy(), labels[mask]
    assert len(mine) == np.count_nonzero(mask)
    # as many labels on either side, and each of ours always meets the same one of theirs: the same partition
    meets = np.zeros(parts.count, theirs.dtype)
    meets[mine] = theirs
    assert np.array_equal(meets[mine], theirs)
    first = np.full(parts.count, mask.size)
    np.minimum.at(first, parts.part.numpy(), parts.start.numpy())
    assert (np.diff(first) > 0).all()  # numbered by first pixels
    areas = np.bincount(theirs, minlength=count)
    assert np.array_equal(parts.areas().numpy(), areas[meets])
