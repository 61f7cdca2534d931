"""Three nodes: one is killed in mid-run, then the driver; the next run does what is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from .conftest import manifest, photographs, pictures

COUNT = 2000
PATIENCE = 1500  # seconds: two minutes are enough on a quiet machine of two cores, and a busy one is no failure


@pytest.fixture
def cluster():
    from ray.cluster_utils import Cluster

    made = Cluster()
    nodes = [node_of(made) for _ in range(3)]  # the first is the head
    yield made, nodes[1:]
    made.shutdown()


def node_of(cluster: Any, tries: int = 5) -> Any:
    """A node of one core; once more where it did not come up in Ray's thirty seconds, as on a busy machine."""
    try:
        return cluster.add_node(num_cpus=1, object_store_memory=120 << 20, include_dashboard=False)
    except Exception as e:
        if "timed out" not in str(e) or not tries:
            raise
        return node_of(cluster, tries - 1)


def start(source: Path, dest: Path, given: list[str], address: str, log: Path) -> subprocess.Popen:
    told = ["-m", "nuggy_nodes", "catalogue", str(source), str(dest), *given, "--json"]
    with open(log, "w") as said:
        return subprocess.Popen([sys.executable, *told], env=os.environ | {"RAY_ADDRESS": address},
                                stdout=subprocess.PIPE, stderr=said, text=True)  # fmt: skip


def wait(dest: Path, count: int, process: subprocess.Popen, log: Path) -> None:
    ends = time.monotonic() + PATIENCE
    while sum(1 for _ in dest.rglob("*.png")) < count:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < ends, log.read_text()
        time.sleep(0.2)


def test_a_killed_node_and_a_killed_driver_lose_nothing(tmp_path, cluster, given):
    whole, nodes = cluster
    source, dest, log = tmp_path / "in", tmp_path / "out", tmp_path / "log"
    made = photographs(source, COUNT)
    (source / "bad.jpg").write_bytes(b"\xff\xd8\xff no picture")

    first = start(source, dest, given, whole.address, log)
    wait(dest, 300, first, log)
    whole.remove_node(nodes[1], allow_graceful=False)
    killed = sum(1 for _ in dest.rglob("*.png"))
    wait(dest, killed + 500, first, log)  # the others go on
    first.send_signal(signal.SIGKILL)
    first.wait()
    first.stdout.close()
    assert sum(1 for _ in dest.rglob("*.png")) < COUNT

    second = start(source, dest, given, whole.address, log)
    said, _ = second.communicate(timeout=PATIENCE)
    assert second.returncode == 1, log.read_text()  # for the bad one
    assert said, log.read_text()
    told = json.loads(said)
    assert told["found"] == COUNT + 1 and told["failed"] == 1
    assert told["done"] + told["done_before"] == COUNT
    assert told["done_before"] > 0, "nothing of the first run was known"

    rows = manifest(dest)
    assert set(rows) == {str(p) for p in made} | {str(source / "bad.jpg")}
    assert [a for a, r in rows.items() if r["error"]] == [str(source / "bad.jpg")]
    assert not [p for p in dest.rglob("*") if p.is_file() and p.suffix not in (".png", ".parquet", ".jpg")]

    (source / "bad.jpg").unlink()
    alone = tmp_path / "alone"
    subprocess.run([sys.executable, "-m", "nuggy_nodes", "cutout", str(source), "-r", "-o", str(alone), *given],
                   check=True)  # fmt: skip
    assert pictures(alone) == pictures(dest)
