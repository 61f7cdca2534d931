"""What pays on this processor: measured once, kept, and measured anew where anything is another."""

from __future__ import annotations

import json

import pytest
import torch

from nuggy_nodes.core.ops import what_pays
from nuggy_nodes.core.ops.what_pays import once, processor, ratios


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The file of a cache folder of its own, in a process that knows nothing yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(what_pays, "_seen", {})
    return tmp_path / "nuggy" / what_pays.FILE


def answers(*said):
    """A measurement that gives these, one after the other, and what is left of them."""
    left = list(said)
    return left, lambda: left.pop(0)


def another_process(monkeypatch):
    monkeypatch.setattr(what_pays, "_seen", {})


def test_it_is_measured_once_and_kept(kept, monkeypatch):
    left, measure = answers([True, False])
    assert once("a", 2, measure) == once("a", 2, measure) == [True, False] and not left
    another_process(monkeypatch)
    assert once("a", 2, measure) == [True, False]
    ((key, value),) = json.loads(kept.read_text()).items()
    assert value == [True, False] and key.startswith("a; ")
    assert torch.__version__ in key and processor() in key and f"{torch.get_num_threads()} threads" in key


def test_another_question_processor_or_limit_is_measured_anew(kept, monkeypatch):
    left, measure = answers([True], [False], [True], [False])
    assert once("a", 1, measure) == [True] and once("b", 1, measure) == [False]
    monkeypatch.setattr(what_pays, "processor", lambda: "an older one")
    assert once("a", 1, measure) == [True]
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert once("a", 1, measure) == [False] and not left
    assert len(json.loads(kept.read_text())) == 4


def test_the_file_keeps_the_last(kept):
    for i in range(what_pays.MOST + 5):
        once(str(i), 1, lambda: [True])
    assert [k.split(";")[0] for k in json.loads(kept.read_text())] == [str(i) for i in range(5, what_pays.MOST + 5)]


@pytest.mark.parametrize("content", ["", "[1]", "{", '{"x": 3}', "[" * 100_000, "\0", '{"x": [1, 2]}'])
def test_a_damaged_file_is_as_none(kept, content):
    kept.parent.mkdir()
    kept.write_text(content)
    assert once("a", 1, lambda: [True]) == [True]
    assert len(json.loads(kept.read_text())) == 1


def test_an_answer_of_another_length_is_none(kept, monkeypatch):
    once("a", 1, lambda: [True])
    another_process(monkeypatch)
    assert once("a", 2, lambda: [False, True]) == [False, True]


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path, kept, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    left, measure = answers([True])
    assert once("a", 1, measure) == once("a", 1, measure) == [True] and not left
    another_process(monkeypatch)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr("pathlib.Path.home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert once("a", 1, lambda: [False]) == [False]


@pytest.fixture
def runs(monkeypatch):
    """Makes what takes so many seconds of a clock that only it moves, and how often it was asked."""
    now = [0.0]
    monkeypatch.setattr(what_pays.time, "perf_counter", lambda: now[0])

    def make(seconds):
        asked = []

        def run():
            asked.append(seconds)
            now[0] += seconds
            return torch.zeros(())

        return asked, run

    return make


def test_ratios_are_of_the_times(runs):
    (asked, exact), (_, half) = runs(0.5), runs(0.25)
    assert ratios(exact, {"half": half, "slower": runs(1.5)[1]}, rounds=4) == {"half": 0.5, "slower": 3.0}
    assert len(asked) == 2 + 4


def test_the_best_of_several_rounds_counts(monkeypatch):
    taken = iter([9, 4, 2, 2, 4, 3, 6, 2])  # exact twice, the other at first sight twice, then in turns
    monkeypatch.setattr(what_pays, "_seconds", lambda _: next(taken))
    assert ratios(torch.ones, {"half": torch.ones}, rounds=2) == {"half": 0.5}


def test_what_is_hopeless_or_has_no_kernel_is_left_at_once(runs):
    def none():
        raise RuntimeError("not implemented for 'BFloat16'")

    asked, slow = runs(1.0)
    assert ratios(runs(0.125)[1], {"none": none, "slow": slow}) == {} and len(asked) == 2
