"""The demo's recipe against a plain reading of its description."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from nuggy_nodes.core import cutout, recipe
from nuggy_nodes.core.demo import demo_alpha
from nuggy_nodes.core.segment.predict import run_squares


def plain_seed(image, network):
    """The seed's recipe read anew from its description, in NumPy and OpenCV (double sigmoid included)."""

    def network_on(picture):
        x = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255
        logits = np.log((p := run_squares(network, x)[0, 0].double().numpy()) / (1 - p))
        once = 1 / (1 + np.exp(-logits))
        return 1 / (1 + np.exp(-once))

    small = image.resize((1024, 1024), Image.Resampling.BILINEAR)
    flipped = small.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    p = (network_on(small) + network_on(flipped)[:, ::-1]) / 2
    p = (p - p.min()) / (p.max() - p.min())
    guide = np.array(small.convert("L")).astype(np.float64) / 255

    def mean(x):
        return cv2.boxFilter(x, cv2.CV_64F, (9, 9))

    a = (mean(guide * p) - mean(guide) * mean(p)) / (mean(guide**2) - mean(guide) ** 2 + 1e-4)
    p = mean(a) * guide + mean(mean(p) - a * mean(guide))
    p[p < 0.2] = 0
    contours, _ = cv2.findContours((p * 255).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    keep = np.zeros(p.shape, np.uint8)
    for c in contours:
        if cv2.contourArea(c) > 0.001 * 1024 * 1024:
            cv2.fillPoly(keep, [c], 1)
    p = np.sqrt(np.where(keep, p, 0))
    p[p > 0.95] = 1
    return np.array(Image.fromarray((p * 255).astype(np.uint8)).resize(image.size, Image.Resampling.BILINEAR)) / 255


@pytest.mark.slow
def test_seed_recipe_against_a_plain_reading(network, chelsea):
    image = Image.fromarray((chelsea[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
    got = cutout(chelsea, network, "seed").alpha[0, 0].numpy()
    difference = np.abs(got - plain_seed(image, network))
    assert difference.mean() < 1 / 255
    assert 0.1 < got.mean() < 0.95


@pytest.mark.slow
def test_seed_settings_are_used(network, chelsea, monkeypatch):
    from nuggy_nodes.core import demo

    answers = torch.zeros(2, 1, 1024, 1024)  # a body and an island, soft at the edge, under the cutoff between them
    answers[:, :, 100:700, 100:500], answers[:, :, 800:900, 800:900] = 0.9, 0.8
    answers = torch.nn.functional.avg_pool2d(answers, 41, 1, 20)
    answers = (answers + answers.flip(-1)) / 2
    monkeypatch.setattr(demo, "run_squares", lambda *a, **k: answers)
    plain = demo_alpha(chelsea, network, recipe("seed"))
    for change in ({"gamma": 0.9}, {"threshold": 0.6}, {"radius": 1}, {"epsilon": 1e-1}, {"min_area": 0.05}):
        assert not torch.equal(demo_alpha(chelsea, network, recipe("seed", **change)), plain), change
