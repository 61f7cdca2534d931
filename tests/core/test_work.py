"""The work as it goes on: shares of the whole, seconds by stage."""

from __future__ import annotations

import pytest

from nuggy_nodes.core import work
from nuggy_nodes.core.work import NETWORK, Work


def test_shares_reach_the_report_and_the_networks_are_its_part():
    told = []
    one = Work(lambda stage, share: told.append((stage, share)))
    one.of_network(1, 4)
    one.of_network(4, 4)
    one.tell("done", 1.0)
    assert told == [("network", pytest.approx(NETWORK / 4)), ("network", pytest.approx(NETWORK)), ("done", 1.0)]
    assert 0 < NETWORK < 1
    Work().tell("done", 1.0)  # without a report nothing is told


def test_seconds_of_a_stage_add_up(monkeypatch):
    clock = iter([10.0, 12.5, 20.0, 21.0, 30.0, 30.25])
    monkeypatch.setattr(work.time, "perf_counter", lambda: next(clock))
    one = Work()
    for name in ("refine", "refine", "islands"):
        with one.stage(name):
            pass
    assert one.seconds == {"refine": 3.5, "islands": 0.25}


def test_what_the_report_raises_ends_the_work():
    def stop(stage, share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Work(stop).tell("refine", 0.5)
