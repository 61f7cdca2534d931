"""Small folders in the layouts of the published data sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.samples import SIZE, disc, picture, save


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """DIS5K, AM-2k, BG-20k, ThinObject5K and a plain folder, three pictures each, and photographs without alpha."""
    for i in range(3):
        save(tmp_path / f"DIS5K/DIS-TR/im/1#a#{i}.jpg", picture(i))
        save(tmp_path / f"DIS5K/DIS-TR/gt/1#a#{i}.png", disc())
        save(tmp_path / f"AM-2k/train/original/m_{i}.jpg", picture(i))
        save(tmp_path / f"AM-2k/train/mask/m_{i}.png", disc())
        save(tmp_path / f"AM-2k/train/fg/m_{i}.png", picture(i + 10))
        save(tmp_path / f"AM-2k/train/bg/m_{i}.png", np.full((*SIZE, 3), 90, np.uint8))
        save(tmp_path / f"AM-2k/validation/original/m_v{i}.jpg", picture(i))
        save(tmp_path / f"AM-2k/validation/mask/m_v{i}.png", disc())
        save(tmp_path / f"AM-2k/validation/trimap/m_v{i}.png", np.where((disc() > 0) & (disc() < 255), 128, disc()))
        save(tmp_path / f"BG-20k/train/h_{i}.jpg", picture(i + 20, (40, 90)))
        save(tmp_path / f"ThinObject5K/images/t{i}.jpg", picture(i))
        save(tmp_path / f"ThinObject5K/masks/t{i}.png", disc())
        save(tmp_path / f"own/image/{i}.webp", picture(i))
        save(tmp_path / f"own/alpha/{i}.png", disc().astype(np.uint16) * 257)
        save(tmp_path / f"photos/{i}.jpg", picture(i + 30, (70, 50)))
    (tmp_path / "ThinObject5K/list").mkdir()
    (tmp_path / "ThinObject5K/list/train.txt").write_text("t0.png\nt2.png\n")
    (tmp_path / "ThinObject5K/list/test.txt").write_text("t1.png\n")
    return tmp_path
