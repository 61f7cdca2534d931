"""The worker itself, with the network, as the plug-in starts it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nuggy_nodes.bridge import client
from nuggy_nodes.bridge.job import Job
from nuggy_nodes.bridge.launch import Launch

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_from_start_to_idle_end(tmp_path: Path) -> None:
    launch = Launch(sys.executable, str(REPOSITORY), str(tmp_path / "r"), idle=1.0)
    place = launch.place()
    pixels = np.full((32, 48, 3), 200, np.uint8)
    call = client.ask(launch, Job(48, 32, 3, recipe="fast"), {"pixels": pixels.tobytes()})
    stages = [event[0] for event in call.follow() if event]
    mask = call.result().blobs["mask"]
    assert len(mask) == 48 * 32 and stages[0] == "start" and stages.index("network") < stages.index("refine")
    about = client.ping(launch)
    assert about["pid"] != os.getpid() and Path(about["weights"]).is_file()
    until = time.monotonic() + 30
    while place.socket.exists() or place.card.exists():
        assert time.monotonic() < until, "it stays"
        time.sleep(0.05)
    assert "nothing to do" in place.last_words()
