"""The loop on a narrow network at a small size: resume, what a run refuses, what it leaves behind; and the real
network's loss falls."""

from __future__ import annotations

import dataclasses
import itertools
import math
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from nuggy_nodes.core.errors import NuggyError
from nuggy_nodes.core.network import weights
from nuggy_nodes.core.network.metadata import Info
from nuggy_nodes.training import judge, learner, loop, record, state
from nuggy_nodes.training.ahead import painted
from nuggy_nodes.training.draw import Draws
from nuggy_nodes.training.loop import Trainer
from nuggy_nodes.training.loss import total
from nuggy_nodes.training.mix import Mix, read_mix
from nuggy_nodes.training.scene import render
from tests.narrow import Narrow
from tests.training.samples import picture, save

CPU = torch.device("cpu")
MIX = """
seed = 3
weights = "narrow.safetensors"
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
sizes = [64, 32]
batch = 2
steps = 3
warm_up = 2
save = 2
rate = 1e-4
"""


@pytest.fixture
def narrow(monkeypatch, data: Path) -> None:
    """Weights files are of the narrow network, and one lies in the data's folder."""
    monkeypatch.setattr(weights, "ISNet", Narrow)
    torch.manual_seed(1)
    weights.save(Narrow().state_dict(), Info(), data / "narrow.safetensors", eight_bit=False)


@pytest.fixture
def mix(data: Path, narrow: None) -> Mix:
    (data / "mix.toml").write_text(MIX)
    return read_mix(data / "mix.toml")


def after(steps: int):
    calls = iter(range(steps + 1))
    return lambda: next(calls) == steps


def same(a: Path, b: Path) -> bool:
    one, two = state.load_tensors(a)[0], state.load_tensors(b)[0]
    return set(one) == set(two) and all(torch.equal(one[k], two[k]) for k in one)


@pytest.mark.slow
def test_a_run_that_was_stopped_ends_as_one_that_was_not(mix: Mix, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(judge, "HELD", 1)
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
    other = dataclasses.replace(mix, run=dataclasses.replace(mix.run, rate=1e-3))
    with pytest.raises(NuggyError, match=r"run rate was 0.0001, now 0.001\. Give"):
        Trainer(other, tmp_path / "parts", CPU)
    teacher = tmp_path / "teacher.safetensors"
    teacher.write_bytes(b"another")
    with pytest.raises(NuggyError, match="teacher was"):
        Trainer(dataclasses.replace(mix, teacher=teacher), tmp_path / "parts", CPU)
    same_file = dataclasses.replace(mix, teacher=mix.weights)  # as read_mix has it where none is named
    assert Trainer(same_file, tmp_path / "parts", CPU).step == 3


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
    trainer = Trainer(dataclasses.replace(mix, run=dataclasses.replace(mix.run, steps=20, save=50), seed=1),
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
    assert trainer.step == 1 and trainer.stop.wanted
    assert state.load_tensors(tmp_path / "run/state.safetensors")[1]["step"] == 1
    assert signal.getsignal(signal.SIGINT) is before


def test_rates_warm_up_and_fall(mix: Mix) -> None:
    from nuggy_nodes.core import load

    run = mix.run.__class__(**{**mix.run.__dict__, "steps": 100, "warm_up": 10, "encoder_rate": 0.0})
    one = learner.Learner(load(mix.weights), run)
    rates = [one.rate(i) for i in range(100)]
    assert rates[0] == pytest.approx(run.rate / 10) and max(rates) == pytest.approx(run.rate)
    assert all(b <= a for a, b in itertools.pairwise(rates[10:])) and rates[-1] < 0.06 * run.rate
    frozen = {n for n, p in one.model.named_parameters() if not p.requires_grad}
    assert any(n.startswith("stage6.") for n in frozen) and not any("d." in n.split(".")[0] + "." for n in frozen)


@pytest.mark.parametrize("ahead", [False, True])
def test_batches_painted_ahead_are_the_same_in_the_same_order(mix: Mix, ahead: bool) -> None:
    draws = Draws(mix, {})
    plans = [[draws[2 * i], draws[2 * i + 1]] for i in range(4)]
    found = list(painted(iter(plans), CPU, ahead))
    for batch, scenes in zip(found, plans, strict=True):
        again = render(scenes, CPU)
        assert torch.equal(batch.image, again.image) and torch.equal(batch.alpha, again.alpha)
        assert batch.kinds == again.kinds


@pytest.mark.parametrize("ahead", [False, True])
def test_an_error_comes_where_its_batch_would_and_the_rest_is_not_made(mix: Mix, ahead: bool) -> None:
    draws, asked = Draws(mix, {}), []

    def plans():
        for i in itertools.count():
            asked.append(i)
            if i == 2:
                raise RuntimeError("CUDA out of memory")
            yield [draws[i]]

    batches = painted(plans(), CPU, ahead)
    next(batches), next(batches)
    with pytest.raises(RuntimeError, match="out of memory"):
        next(batches)
    assert asked == [0, 1, 2]
    endless = painted(itertools.repeat([draws[0]]), CPU, ahead)
    next(endless)
    endless.close()  # comes back, the painter with it
    assert not [t for t in threading.enumerate() if t.name.startswith("painter")]


@pytest.mark.slow
def test_the_loss_on_scenes_held_back_falls(data: Path) -> None:
    """Drawn scenes and composites of numbers that no step sees; ten steps at 64 pixels."""
    from nuggy_nodes.core import load
    from nuggy_nodes.training.draw import HELD_BACK

    (data / "mix.toml").write_text(
        MIX.replace('weights = "narrow.safetensors"\n', "").replace("sizes = [64, 32]\n", "")
    )
    mix = read_mix(data / "mix.toml")
    run = mix.run.__class__(**{**mix.run.__dict__, "steps": 10, "rate": 2e-4, "decay": 0.7})
    draws, own = Draws(mix, {}), learner.Learner(load(), run)
    held = render([draws[HELD_BACK + i] for i in range(8)], CPU)

    def loss() -> float:
        with torch.no_grad():
            return float(total(own.losses(held, own.ema)))

    before = loss()
    for step in range(run.steps):
        own.update(render([draws[2 * step], draws[2 * step + 1]], CPU), step)
    assert loss() < 0.98 * before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 4}, "seed was 3, now 4"),
        ({"run": {"size": 96}}, "run size was 64, now 96"),
        ({"evaluate": {"every": 5}}, "evaluate every was False, now True"),
        ({"file": "photos/3.jpg"}, r"source 1 files was 3 \(\w+\), now 4"),
        ({"weights": True}, "weights was"),
    ],
)
def test_a_folder_holds_one_run(mix: Mix, data: Path, tmp_path: Path, monkeypatch, change: dict, said: str) -> None:
    monkeypatch.setattr(loop, "load", lambda *_: SimpleNamespace(path=data / "weights", info=None))
    monkeypatch.setattr(loop, "Learner", lambda *_: SimpleNamespace(restore=lambda *_: None))
    monkeypatch.setattr(judge, "Measure", lambda _: None)
    (data / "weights").write_text("one")
    terms = Trainer(mix, tmp_path / "run", CPU)._terms()
    facts = {"step": 0, "updates": 0, "best": 1.0, "first": {}, "terms": terms}
    state.save_tensors(tmp_path / "run/state.safetensors", {"x": torch.zeros(1)}, facts)
    Trainer(mix, tmp_path / "run", CPU)  # the same goes on
    free = {"workers": 3, "save": 9}
    Trainer(dataclasses.replace(mix, run=dataclasses.replace(mix.run, **free)), tmp_path / "run", CPU)
    if "file" in change:
        save(data / change["file"], picture(1))
    elif "weights" in change:
        (data / "weights").write_text("another")
    else:
        mix = dataclasses.replace(mix, **{
            k: dataclasses.replace(getattr(mix, k), **v) if isinstance(v, dict) else v for k, v in change.items()
        })  # fmt: skip
    with pytest.raises(NuggyError, match=said):
        Trainer(mix, tmp_path / "run", CPU)


@pytest.mark.slow
def test_the_best_by_the_score_is_kept_and_goes_on_being_it(mix: Mix, tmp_path: Path, monkeypatch) -> None:
    """Marks 1, 0.8, 0.9, 0.7 (after a stop): the weights of the second and last are kept; the table tells them all."""
    marks = {"weights at the start": 1.0, "step 1": 0.8, "step 2": 0.9, "step 3": 0.7}

    def figures(self, network, what: str) -> dict[str, float]:
        mark = next(v for k, v in marks.items() if what.endswith(k))
        return {"dev_sad": 50 * mark} | ({"score": mark} if self.first else {})

    monkeypatch.setattr(judge, "HELD", 1)
    monkeypatch.setattr(judge, "Measure", lambda _: object())
    monkeypatch.setattr(judge.Judge, "figures", figures)
    mix = dataclasses.replace(mix, evaluate=dataclasses.replace(mix.evaluate, every=1))
    assert not Trainer(mix, tmp_path, CPU).train(after(2))
    best, facts = state.load_tensors(tmp_path / "best.safetensors")
    assert facts["step"] == 1 and facts["original"] == {"dev_sad": 50.0} and facts["figures"]["dev_sad"] == 40
    assert not torch.equal(
        best["side1.weight"], state.load_tensors(tmp_path / "state.safetensors")[0]["ema.side1.weight"]
    )
    assert Trainer(mix, tmp_path, CPU).train()
    assert state.load_tensors(tmp_path / "best.safetensors")[1]["step"] == 3
    told = record.rows(tmp_path / "measured.csv")
    assert [(r["step"], r["score"]) for r in told] == [("0", "1"), ("1", "0.8"), ("2", "0.9"), ("3", "0.7")]


def test_a_run_looks_at_its_data_first(mix: Mix, data: Path, monkeypatch, capsys) -> None:
    from nuggy_nodes.cli import main

    monkeypatch.setattr(loop.Trainer, "train", lambda self, until: True)
    (data / "photos/bad.jpg").write_text("no picture")
    run = ["train", "run", str(data / "mix.toml"), "-o", str(data / "run"), "--device", "cpu"]
    assert main(run) == 1
    said = capsys.readouterr().err
    assert "bad.jpg" in said and "--unchecked" in said and not (data / "run").exists()
    assert main([*run, "--unchecked"]) == 0


def test_a_state_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"nothing")
    with pytest.raises(NuggyError, match="not the state of a training run"):
        state.load_tensors(tmp_path / "x")


def test_run_and_export_from_the_command_line(mix: Mix, data: Path, monkeypatch, capsys) -> None:
    from nuggy_nodes.cli import main
    from nuggy_nodes.core.network.weights import load

    (data / "mix.toml").write_text(MIX.replace("steps = 3", "steps = 1"))
    run = ["train", "run", str(data / "mix.toml"), "-o", str(data / "run"), "--device", "cpu"]
    monkeypatch.setattr(judge.Judge, "held_back", lambda self, own, _: 1.0 - 0.5 * own.updates)
    assert main([*run, "--minutes", "1e-9"]) == 0
    assert "step 0 of 1, none better than at the start; run again to go on" in capsys.readouterr().out
    assert main(["train", "export", str(data / "run"), "-o", str(data / "new.safetensors")]) == 1
    assert "nothing that was measured so far is better" in capsys.readouterr().err
    assert main(run) == 0
    assert "step 1 of 1, better weights than at the start are kept\n" in capsys.readouterr().out
    assert main(["train", "export", str(data / "run"), "-o", str(data / "new.safetensors")]) == 0
    assert "1 steps at 64 pixels" in load(data / "new.safetensors").info.lineage
    assert "None but the loss on scenes held back" in (data / "new.md").read_text()
    assert main(["train", "export", str(data / "run"), "-o", str(data / "last.safetensors"), "--last"]) == 0
    assert load(data / "last.safetensors").info == load(data / "new.safetensors").info
    assert (data / "last.md").read_text().splitlines()[2:12] == (data / "new.md").read_text().splitlines()[2:12]
    assert main(["train", "export", str(data), "-o", str(data / "none.safetensors")]) == 1
    assert "not the state of a training run" in capsys.readouterr().err


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
