"""Threads of a container with a limited share of processor time."""

import os
import re
import subprocess
import sys

import pytest
import torch

from nuggy_nodes import process


@pytest.mark.parametrize("files,quota", [
    ({}, 0), ({"cpu.max": "max 100000\n"}, 0), ({"cpu.max": "150000 100000\n"}, 1.5), ({"cpu.max": "rubbish"}, 0),
    ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 0),
    ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4)])  # fmt: skip
def test_quota(tmp_path, files, quota):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert process.cpu_quota(tmp_path) == quota


@pytest.mark.parametrize(
    "quota,had,named,threads",
    [(0, 8, None, 8), (2.0, 8, None, 2), (1.5, 8, None, 2), (0.2, 8, None, 1), (16, 8, None, 8), (2, 8, "8", 8)],
)
def test_threads_keep_to_it(monkeypatch, quota, had, named, threads):
    now = [had]
    monkeypatch.setattr(torch, "get_num_threads", lambda: now[0])
    monkeypatch.setattr(torch, "set_num_threads", lambda n: now.__setitem__(0, n))
    monkeypatch.setattr(process, "cpu_quota", lambda: quota)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if named:
        monkeypatch.setenv("OMP_NUM_THREADS", named)
    process.keep_to_quota()
    assert now == [threads]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="GNU's OpenMP is torch's on Linux")
@pytest.mark.parametrize(
    "given,spins,policy",
    [
        ({}, process.SPINS, None),
        ({"GOMP_SPINCOUNT": "77"}, "77", None),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, None, "ACTIVE"),
    ],
)
def test_threads_that_wait_sleep_soon(given, spins, policy):
    """OpenMP itself says what it goes by when torch loads it."""
    code = "from nuggy_nodes import process; process.share_cores(); import torch"
    clean = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    env = {**clean, "OMP_DISPLAY_ENV": "VERBOSE", **given}
    told = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stderr
    said = dict(re.findall(r"(GOMP_SPINCOUNT|OMP_WAIT_POLICY) = '(\w+)'", told))
    assert said["GOMP_SPINCOUNT"] == spins if spins else said["OMP_WAIT_POLICY"] == policy
    if spins is None:
        assert said["GOMP_SPINCOUNT"] != process.SPINS
