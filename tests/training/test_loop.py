"""The loop on the real network at a small size: resume, what a run refuses, what it leaves behind."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import pytest
import torch

from nuggy_nodes.core.errors import NuggyError
from nuggy_nodes.training import learner, loop, record, state
from nuggy_nodes.training.loop import Trainer
from nuggy_nodes.training.mix import Mix, read_mix

CPU = torch.device("cpu")
MIX = """
seed = 3
[[source]]
layout = "drawn"
backgrounds = ["photos"]
weight = 0.5
[[source]]
layout = "folder"
path = "own"
backgrounds = ["photos"]
composite = 0.5
weight = 0.3
[[source]]
layout = "backgrounds"
path = "photos"
weight = 0.2
[run]
size = 64
batch = 2
steps = 3
warm_up = 2
save = 2
rate = 1e-4
"""


@pytest.fixture
def mix(data: Path) -> Mix:
    (data / "mix.toml").write_text(MIX)
    return read_mix(data / "mix.toml")


def after(steps: int):
    calls = iter(range(steps + 1))
    return lambda: next(calls) == steps


def same(a: Path, b: Path) -> bool:
    one, two = state.load_tensors(a)[0], state.load_tensors(b)[0]
    return set(one) == set(two) and all(torch.equal(one[k], two[k]) for k in one)


def test_a_run_that_was_stopped_ends_as_one_that_was_not(mix: Mix, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(loop, "HELD", 1)
    assert Trainer(mix, tmp_path / "whole", CPU).train()
    assert not Trainer(mix, tmp_path / "parts", CPU).train(after(1))
    torch.rand(7)  # the global random state must not matter
    stopped = record.rows(tmp_path / "parts/log.csv")
    assert [r["step"] for r in stopped] == ["1"]
    assert Trainer(mix, tmp_path / "parts", CPU).train()
    assert same(tmp_path / "whole/state.safetensors", tmp_path / "parts/state.safetensors")
    one, two = (record.rows(tmp_path / run / "log.csv") for run in ("whole", "parts"))
    assert [r["step"] for r in two] == ["1", "2", "3"]
    assert [{**r, "seconds": ""} for r in one] == [{**r, "seconds": ""} for r in two]
    assert len({r["loss"] for r in one}) == 3
    for name in ("curves.png", "run.json", "measured.csv"):
        assert (tmp_path / "whole" / name).stat().st_size > 50
    assert record.rows(tmp_path / "whole/measured.csv") == record.rows(tmp_path / "parts/measured.csv")
    # and the same folder with another mix is refused
    other = Mix(mix.sources, mix.run.__class__(**{**mix.run.__dict__, "rate": 1e-3}), mix.evaluate, mix.seed)
    with pytest.raises(NuggyError, match="holds a run with another run"):
        Trainer(other, tmp_path / "parts", CPU)


@pytest.mark.parametrize("error", [RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), ValueError("other")])
def test_out_of_memory_is_told_in_words(mix: Mix, tmp_path: Path, monkeypatch, error: Exception) -> None:
    def full(*_: object) -> dict[str, float]:
        raise error

    monkeypatch.setattr(loop.Trainer, "_measure", lambda self: None)
    monkeypatch.setattr(learner.Learner, "update", full)
    with pytest.raises(NuggyError if "memory" in str(error) else ValueError, match=r"batch of 2 at 64|other"):
        Trainer(mix, tmp_path / "run", CPU).train()


def test_broken_steps_in_a_row_end_the_run_and_change_nothing(mix: Mix, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(loop.Trainer, "_measure", lambda self: None)
    monkeypatch.setattr(loop, "BROKEN", 3)
    monkeypatch.setattr(learner, "total", lambda parts: sum(parts.values()) * math.nan)
    trainer = Trainer(Mix(mix.sources, mix.run.__class__(**{**mix.run.__dict__, "steps": 20, "save": 50}), seed=1),
                      tmp_path / "run", CPU)  # fmt: skip
    before = {k: v.detach().clone() for k, v in trainer.learner.model.named_parameters()}
    with pytest.raises(NuggyError, match="no finite loss in 3 steps"):
        trainer.train()
    assert trainer.step == 3 and trainer.learner.updates == 0
    assert all(torch.equal(v, before[k]) for k, v in trainer.learner.model.named_parameters())


def test_ctrl_c_stops_after_the_step_and_saves(mix: Mix, tmp_path: Path, monkeypatch) -> None:
    import os
    import signal

    monkeypatch.setattr(loop.Trainer, "_measure", lambda self: None)
    update, before = learner.Learner.update, signal.getsignal(signal.SIGINT)

    def interrupted(self, batch, step):
        os.kill(os.getpid(), signal.SIGINT)
        return update(self, batch, step)

    monkeypatch.setattr(learner.Learner, "update", interrupted)
    trainer = Trainer(mix, tmp_path / "run", CPU)
    assert not trainer.train()
    assert trainer.step == 1 and trainer.wanted
    assert state.load_tensors(tmp_path / "run/state.safetensors")[1]["step"] == 1
    assert signal.getsignal(signal.SIGINT) is before


def test_rates_warm_up_and_fall(mix: Mix) -> None:
    from nuggy_nodes.core import load

    run = mix.run.__class__(**{**mix.run.__dict__, "steps": 100, "warm_up": 10, "encoder_rate": 0.0})
    one = learner.Learner(load(), run)
    rates = [one.rate(i) for i in range(100)]
    assert rates[0] == pytest.approx(run.rate / 10) and max(rates) == pytest.approx(run.rate)
    assert all(b <= a for a, b in itertools.pairwise(rates[10:])) and rates[-1] < 0.06 * run.rate
    frozen = {n for n, p in one.model.named_parameters() if not p.requires_grad}
    assert any(n.startswith("stage6.") for n in frozen) and not any("d." in n.split(".")[0] + "." for n in frozen)


def test_a_state_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"nothing")
    with pytest.raises(NuggyError, match="not the state of a training run"):
        state.load_tensors(tmp_path / "x")


def test_run_and_export_from_the_command_line(mix: Mix, data: Path, monkeypatch, capsys) -> None:
    from nuggy_nodes.cli import main
    from nuggy_nodes.core.weights import load

    (data / "mix.toml").write_text(MIX.replace("steps = 3", "steps = 1"))
    run = ["train", "run", str(data / "mix.toml"), "-o", str(data / "run"), "--device", "cpu"]
    monkeypatch.setattr(loop.Trainer, "held_back", lambda self: 1.0 - 0.5 * self.step)
    assert main([*run, "--minutes", "1e-9"]) == 0
    assert "step 0 of 1; run again to go on" in capsys.readouterr().out
    assert main(["train", "export", str(data / "run"), "-o", str(data / "new.safetensors")]) == 1
    assert "nothing that was measured so far is better" in capsys.readouterr().err
    assert main(run) == 0
    assert "step 1 of 1\n" in capsys.readouterr().out
    assert main(["train", "export", str(data / "run"), "-o", str(data / "new.safetensors")]) == 0
    assert "1 steps at 64 pixels" in load(data / "new.safetensors").info.lineage
    assert "None but the loss on scenes held back" in (data / "new.md").read_text()


def test_training_that_is_left_out_is_told(monkeypatch, tmp_path: Path, capsys) -> None:
    """ComfyUI's registry leaves nuggy_nodes/training out."""
    import sys

    from nuggy_nodes.cli import main

    for name in [m for m in sys.modules if m.startswith("nuggy_nodes.training")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "nuggy_nodes.training", None)
    assert main(["train", "check", str(tmp_path / "mix.toml")]) == 1
    assert "pip install 'nuggy-nodes[train]'" in capsys.readouterr().err


def test_a_second_ctrl_c_ends_at_once(mix: Mix, tmp_path: Path, monkeypatch) -> None:
    import os
    import signal

    before = signal.getsignal(signal.SIGINT)

    def long(self) -> None:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(loop.Trainer, "_measure", long)
    with pytest.raises(KeyboardInterrupt):
        Trainer(mix, tmp_path / "run", CPU).train()
    assert not (tmp_path / "run/state.safetensors").exists()
    assert signal.getsignal(signal.SIGINT) is before
