"""Threads of a container with a limited share of processor time."""

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
