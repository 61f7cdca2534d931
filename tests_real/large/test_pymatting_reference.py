"""The stored answer of pymatting, which the fast tests compare with, is what pymatting says today."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.data.make_pymatting_reference import reference


def test_stored_reference_is_pymattings():
    stored = np.load(Path(__file__).parents[2] / "tests" / "data" / "pymatting-scene.npz")
    found, mean = reference()
    assert abs(mean - float(stored["mean"])) < 1e-6
    assert np.abs(found - stored["foreground"].astype(np.float64)).max() < 2e-3
