"""How a cluster is shared out: room for reading and writing beside the networks, also when a machine is lost."""

from __future__ import annotations

import pytest

from nuggy_nodes.catalogue import flow

MACHINES = ([1], [2], [1, 1], [1, 1, 1], [2, 2], [4, 8], [64] * 16)


@pytest.mark.parametrize("cores", MACHINES)
@pytest.mark.parametrize("workers,gpus", [(0, 0.0), (2, 0.0), (5, 0.0), (0, 0.5)])
def test_a_task_that_reads_and_one_that_writes_fit_beside_the_networks(monkeypatch, cores, workers, gpus):
    monkeypatch.setattr(flow, "machines", lambda: [{"CPU": float(c)} for c in cores])
    made = flow.share({"GPU": float(len(cores))}, workers, gpus)
    assert made.workers == (workers or len(cores) * (2 if gpus else 1)) and made.cpus > 0 < made.files <= flow.FILES
    assert abs(made.cpus - made.files) > 1e-3, "Ray would do both in one process"
    left = sorted(cores)[: max(len(cores) - 1, 1)]  # the largest is lost
    networks = [made.workers // len(left) + (i < made.workers % len(left)) for i in range(len(left))]
    for has, count in zip(left, networks):
        assert count * made.cpus + 2 * made.files <= has + 1e-9, made


def test_on_one_machine_a_network_has_half_of_it_and_all_its_threads(monkeypatch):
    monkeypatch.setattr(flow, "machines", lambda: [{"CPU": 8.0}])
    made = flow.share({}, 1)
    assert (made.workers, made.cpus, made.threads, made.gpus) == (1, 4.0, 8, 0.0)
    assert flow.share({}, 2).threads == 4
