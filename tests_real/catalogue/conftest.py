"""Small photographs, a tiny network, and one Ray on this machine for the tests that need no cluster."""

from __future__ import annotations

import functools
import json
import os
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
# for the processes that Ray starts
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
# all on the loopback, whichever test imports Ray first
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
# a slow machine is no dead one: a check waits ten seconds for its answer, and a node that was killed refuses at once
os.environ.update(RAY_worker_register_timeout_seconds="300", RAY_health_check_failure_threshold="8")
# Ray's own is 15: beside other work its workers would get next to nothing
os.environ.update(RAY_worker_niceness="0")
os.environ.update(AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret", AWS_EC2_METADATA_DISABLED="true")


def photographs(folder: Path, count: int, each: int = 100) -> list[Path]:
    """Bright boxes on dark grounds, 64x48, no two alike, some in sub-folders."""
    rng, made = np.random.default_rng(count), []
    for i in range(count):
        pixels = np.zeros((48, 64, 3), np.uint8) + rng.integers(0, 90, 3).astype(np.uint8)
        x, y = rng.integers(4, 20, 2)
        pixels[y : y + 24, x : x + 30] = rng.integers(180, 255, 3)
        path = folder / f"{i // each:02}" / f"{i:05}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        made.append(path)
    return made


def manifest(dest: Path) -> dict[str, dict]:
    """The manifest's rows by address; each address once."""
    rows = pq.read_table(dest / "nuggy-catalogue" / "manifest.parquet").to_pylist()
    assert len({r["address"] for r in rows}) == len(rows)
    return {r["address"]: r for r in rows}


def pictures(folder: Path) -> dict[str, bytes]:
    """Every PNG below a folder by its path there."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.png")}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    """A network that sees how bright a picture is."""
    from tests.core.network.tiny_onnx import write

    return write(tmp_path_factory.mktemp("network") / "tiny.onnx")


@pytest.fixture(scope="session")
def given(tiny) -> list[str]:
    """Settings of every run here."""
    return ["--network", str(tiny), "--recipe", "fast", "--device", "cpu"]


@pytest.fixture(scope="module")
def one_machine():
    """Ray on this machine, for the tests of one file, as the command starts it."""
    from nuggy_nodes.catalogue import flow

    flow.connect()
    yield
    import ray

    ray.shutdown()


@pytest.fixture
def run_ray(one_machine, given, capsys):
    """Call `nuggy catalogue` with Ray: what --json said, and the lines on standard error."""
    return functools.partial(call, given, capsys)


@pytest.fixture
def run(given, capsys, monkeypatch):
    """The same with the three stages one after the other in this process, which takes a second and not twenty."""

    def here(*args, **kwargs):
        with monkeypatch.context() as patch:
            without_ray(patch)
            return call(given, capsys, *args, **kwargs)

    return here


def without_ray(patch: pytest.MonkeyPatch) -> None:
    from nuggy_nodes.catalogue import flow
    from nuggy_nodes.catalogue import run as runs

    patch.setattr(runs, "answers", in_this_process)
    patch.setattr(flow, "connect", lambda: {"CPU": 2.0})
    patch.setattr(flow, "machines", lambda: [{"CPU": 2.0}])


def in_this_process(plan, order, part):
    from nuggy_nodes.catalogue import stages

    cutter = stages.Cutter(order)
    for block in plan:
        for picture in stages.read_block(block, order.megapixels):
            for cut in cutter(picture):
                yield from stages.write_block(cut, order.results, order.output.style, order.output.strip)


def call(given: list[str], capsys, *args: object, status: int = 0) -> tuple[dict, str]:
    from nuggy_nodes.cli import main

    capsys.readouterr()
    got = main(["catalogue", *given, "--json", *map(str, args)])
    said = capsys.readouterr()
    assert got == status, said.err
    return json.loads(said.out) if said.out.strip() else {}, said.err
