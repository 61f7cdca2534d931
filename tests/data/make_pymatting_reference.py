"""Makes pymatting-scene.npz: pymatting's multi-level foreground of the scene in tests/core/foreground/test_estimate.py.

Run from the repository's root: python -m tests.data.make_pymatting_reference
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nuggy_nodes.core.ops.composite import over
from tests.core.foreground.test_estimate import photo, soft_alpha


def reference() -> tuple[np.ndarray, float]:
    """The foreground [H,W,3] and the mean of the picture that it belongs to."""
    from pymatting import estimate_foreground_ml

    alpha = soft_alpha(256, 320)
    image = over(photo("astronaut", 256, 320), alpha, photo("chelsea", 256, 320))
    found = estimate_foreground_ml(image[0].permute(1, 2, 0).double().numpy(), alpha[0, 0].double().numpy())
    return found, float(image.double().mean())


if __name__ == "__main__":
    foreground, mean = reference()
    np.savez_compressed(
        Path(__file__).parent / "pymatting-scene.npz", foreground=foreground.astype(np.float16), mean=mean
    )
