"""Pictures in blocks: means against NumPy's, the way back against torch's, with OpenCV and without."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nuggy_nodes.core.ops import blocks
from nuggy_nodes.core.ops.blocks import block_means, enlarge_window


@pytest.mark.parametrize("block", [2, 3, 8])
@pytest.mark.parametrize("size", [(8, 24), (7, 9), (1, 1), (5, 16)])
def test_means_are_over_whole_blocks_zeros_outside(rng, block, size):
    x = rng.random((2, *size), np.float32)
    h, w = (-(-n // block) * block for n in size)
    padded = np.zeros((2, h, w))
    padded[:, : size[0], : size[1]] = x
    expected = padded.reshape(2, h // block, block, w // block, block).mean((2, 4))
    np.testing.assert_allclose(block_means(torch.from_numpy(x), block), expected, atol=1e-6)


@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize("block", [2, 8])
def test_a_window_is_cut_out_of_the_whole(rng, monkeypatch, block, installed):
    if not installed:
        monkeypatch.setattr(blocks, "opencv", lambda: None)
    x = torch.from_numpy(rng.random((3, 5, 7), np.float32))
    whole = F.interpolate(x[None], scale_factor=block, mode="bilinear", align_corners=False)[0]
    for top, bottom, left, right in ((0, 5, 0, 7), (1, 3, 2, 3), (4, 5, 6, 7), (0, 1, 3, 7)):
        window = (top * block, bottom * block - 1, left * block, right * block - 1)
        got = enlarge_window(x, block, window)
        torch.testing.assert_close(got, whole[:, window[0] : window[1], window[2] : window[3]], atol=1e-6, rtol=0)
