"""Memory that really runs out: a process whose address space is limited."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import re, resource, sys
import torch, nuggy_nodes.core, nuggy_nodes.core.segment.predict as p
import nuggy_nodes.cli.work, nuggy_nodes.cli.run, tqdm, PIL.PngImagePlugin
nuggy_nodes.cli.work.warm_imports()
from nuggy_nodes.core import Network, View
from nuggy_nodes.core.network.metadata import Info

torch.set_num_threads(1)
tried = []

class Hungry(torch.nn.Module):  # 200 MB a square
    planes = 50

    def __init__(self):
        super().__init__()
        self.anchor = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x):
        tried.append(len(x))
        torch.ones(len(x), self.planes, 1024, 1024)
        return torch.nn.functional.avg_pool2d(x[:, 1:2], 2)

def limit(megabytes):
    now = int(re.search(r"VmSize:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
    resource.setrlimit(resource.RLIMIT_AS, (now + (megabytes << 20), resource.RLIM_INFINITY))

network = Network(Hungry(), Info(mean=(0, 0, 0)), None)
p.predict(network, torch.zeros(1, 3, 64, 64), (View(256),))
tried.clear()
limit(300)
views = (View(256), View(256, True))
print(p.predict(network, torch.full((1, 3, 64, 64), 0.25), views).shape, tried, flush=True)
limit(600)
Hungry.planes = 500
import nuggy_nodes.core.network.find as find
find.open_network = lambda *a, **k: network
from nuggy_nodes.cli import main
print(main(["cutout", *sys.argv[2:], "-o", sys.argv[1], "--recipe", "fast", "--views", "256"]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of address space are Linux's")
def test_a_batch_is_halved_and_a_photograph_that_does_not_fit_has_its_line(tmp_path):
    from PIL import Image

    for name in ("a.png", "b.png"):
        Image.new("RGB", (64, 64), "red").save(tmp_path / name)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    given = [sys.executable, "-c", SCRIPT, str(tmp_path / "out"), str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    done = subprocess.run(given, capture_output=True, text=True, env=env, timeout=100)
    assert done.stdout.splitlines() == ["torch.Size([1, 1, 128, 128]) [2, 1, 1]", "1"], done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 3 and all(f"{n}: out of memory" in line for n, line in zip(("a.png", "b.png"), lines)), lines
    assert not list((tmp_path / "out").iterdir())
