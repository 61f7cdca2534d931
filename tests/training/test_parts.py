"""Loss, rounding, views, teacher, measuring, export: each against another way of knowing."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from nuggy_nodes.cli import main
from nuggy_nodes.core import load
from nuggy_nodes.core.errors import NuggyError
from nuggy_nodes.core.network import checksum
from nuggy_nodes.core.network.metadata import Info
from nuggy_nodes.core.network.weights import SMALL, Network, read
from nuggy_nodes.training import record, state, teacher
from nuggy_nodes.training.draw import Draws, photographs
from nuggy_nodes.training.evaluate import Measure, score
from nuggy_nodes.training.loss import losses, thin_weight
from nuggy_nodes.training.mix import Evaluate, Run, Source, read_mix
from nuggy_nodes.training.rounding import rounded
from nuggy_nodes.training.scene import Batch, Ready, ready, reduced, render
from nuggy_nodes.training.views import Look, draw_look, see
from tests.training.samples import disc, picture, save

RUN = Run(thin=3.0, deep=0.6, l1=0.7, gradient=0.4, keep=1.5)


def planes(rng: np.random.Generator, size: int = 32) -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]:
    alpha = torch.from_numpy(cv2.resize(rng.random((4, 4)), (size, size)).clip(0, 1)).float()[None, None]
    trust = torch.from_numpy(rng.random((1, 1, size, size))).float()
    return alpha, trust, [torch.from_numpy(rng.normal(size=(1, 1, n, n))).float() for n in (16, 8, 4)]


def test_loss_against_a_slow_reading(rng: np.random.Generator) -> None:
    alpha, trust, sides = planes(rng)
    original = torch.from_numpy(rng.normal(0, 4, (1, 1, 16, 16))).float()
    found = losses(sides, alpha, trust, RUN, original, torch.tensor([True]))
    w = (trust * thin_weight(alpha, RUN.thin)).double().numpy()[0, 0]
    a, t = alpha.double().numpy()[0, 0], trust.double().numpy()[0, 0]

    def cells(x: np.ndarray, n: int) -> np.ndarray:
        return x.reshape(n, 32 // n, n, 32 // n).mean((1, 3))

    deep = 0.0
    for logits in sides:
        z, n = logits.double().numpy()[0, 0], logits.shape[-1]
        p = 1 / (1 + np.exp(-z))
        each = cells(w, n) * -(cells(a, n) * np.log(p) + (1 - cells(a, n)) * np.log(1 - p))
        deep += (1 if logits is sides[0] else 0.6) * each.sum() / cells(t, n).sum()
    p, q = (1 / (1 + np.exp(-x.double().numpy()[0, 0])) for x in (sides[0], original))
    off, w1, a1, t1 = p - cells(a, 16), cells(w, 16), cells(a, 16), cells(t, 16)
    edge = (w1[:, 1:] * abs(np.diff(off, axis=1))).sum() + (w1[1:] * abs(np.diff(off, axis=0))).sum()
    sure = ((abs(q - 0.5) - 0.3) / 0.15).clip(0, 1) * (1 - t1 * abs(a1 - q))
    expected = {
        "deep": deep,
        "l1": 0.7 * (w1 * abs(off)).sum() / t1.sum(),
        "edge": 0.4 * edge / t1.sum(),
        "keep": 1.5 * (sure * (p - q) ** 2).sum() / max(sure.sum(), 1),
    }
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert float(found[name]) == pytest.approx(value, rel=1e-4), name


def test_what_is_not_trusted_teaches_nothing(rng: np.random.Generator) -> None:
    alpha, trust, sides = planes(rng)
    trust[..., :16] = 0
    for s in sides:
        s.requires_grad_(True)
    sum(losses(sides, alpha, trust, RUN).values()).backward()
    for s in sides:
        assert s.grad is not None
        half = s.shape[-1] // 2
        assert not s.grad[..., : half - 1].any() and s.grad[..., half:].any()


def test_strands_and_their_gaps_weigh_more_bodies_do_not() -> None:
    alpha = torch.zeros(1, 1, 96, 96)
    alpha[..., 10:60, 5:45] = 1  # a body
    alpha[..., :, 70:72] = 1  # a strand
    w = thin_weight(alpha, 4.0)[0, 0]
    assert float(w[30, 25]) == float(w[30, 6]) == 1  # the body, its edge
    assert float(w[30, 70]) == float(w[30, 66]) == 5  # the strand, beside it
    assert float(w[30, 60]) == float(w[90, 40]) == 1
    for width, thin in ((1, True), (4, True), (5, True), (6, False), (9, False)):
        bar = torch.zeros(1, 1, 64, 64)
        bar[..., 20 : 20 + width] = 1
        assert bool(thin_weight(bar, 1.0)[0, 0, 32, 20] > 1) == thin, width


def test_rounding_is_what_is_stored_to_half_a_step_and_lets_gradients_through() -> None:
    model = load().model.requires_grad_(True)
    seen = rounded(model)
    for name, value in model.named_parameters():
        if value.ndim < 2 or name.startswith(SMALL):
            assert seen[name] is value
            continue
        step = value.detach().flatten(1).abs().amax(1).view(-1, 1, 1, 1) / 127
        off = seen[name].detach() / step
        assert (off - off.round()).abs().max() < 1e-3
        assert ((seen[name] - value).detach().abs() <= step * 0.5001).all()
    name = "stage3.rebnconv1.weight"
    (g,) = torch.autograd.grad((seen[name] * 2).sum(), dict(model.named_parameters())[name])
    assert bool((g == 2).all())


@pytest.mark.parametrize("flip", [False, True])
def test_a_look_at_the_whole_is_the_recipes_view(flip: bool) -> None:
    """Enlarged, it is the bilinear squash of core/predict.py."""
    photo = picture(2, (50, 70))
    x = torch.from_numpy(photo).permute(2, 0, 1)[None].float()
    expected = F.interpolate(x, size=(128, 128), mode="bilinear", align_corners=False)[0].permute(1, 2, 0).numpy()
    expected = expected[:, ::-1] if flip else expected
    assert np.abs(see(photo, Look(flip=flip), 128) - expected).max() <= 1.5


def test_looks_move_picture_and_alpha_together_and_in_the_right_direction(rng: np.random.Generator) -> None:
    """A disc of known place: its centre lands where the affine map, written out here, says."""
    y, x = np.mgrid[:300, :400]
    alpha = (np.hypot(x - 150, y - 120) < 30).astype(np.uint8) * 255
    for _ in range(30):
        look = draw_look(rng, alpha)
        seen = see(alpha, look, 200)
        if abs(look.turn) < 1e-9:
            u = (150.5 / 400 - look.x) / look.width * (-1 if look.flip else 1) + 0.5
            v = (120.5 / 300 - look.y) / look.height + 0.5
            if 0.25 < u < 0.75 and 0.25 < v < 0.75 and look.width > 0.5 and look.height > 0.5:
                moments = cv2.moments(seen)
                assert moments["m10"] / moments["m00"] + 0.5 == pytest.approx(200 * u, abs=1)
                assert moments["m01"] / moments["m00"] + 0.5 == pytest.approx(200 * v, abs=1)
        both = see(np.dstack([alpha] * 3), look, 200)
        assert np.array_equal(both[..., 0], seen)


def test_a_turned_look_keeps_shapes() -> None:
    y, x = np.mgrid[:300, :400]
    alpha = (np.hypot(x - 200, y - 150) < 60).astype(np.uint8) * 255
    seen = see(alpha, Look(0.5, 0.5, 0.75, 1.0, 0.4), 300)  # 300 x 300 pixels of the photograph
    assert (seen > 127).sum() == pytest.approx(np.pi * 60**2, rel=0.02)
    bar = np.zeros((300, 400), np.uint8)
    bar[148:152, 100:300] = 255
    ys, xs = np.nonzero(see(bar, Look(0.5, 0.5, 0.75, 1.0, 0.4), 300) > 127)
    assert np.arctan2(
        *np.linalg.svd(np.stack((xs - xs.mean(), ys - ys.mean())), full_matrices=False)[0][::-1, 0]
    ) % np.pi == (pytest.approx(np.pi - 0.4, abs=0.02))


def test_far_looks_continue_the_border(rng: np.random.Generator) -> None:
    photo = np.zeros((100, 100, 3), np.uint8)
    photo[:, :50] = 200
    seen = see(photo, Look(0.5, 0.5, 2.0, 2.0), 100)
    assert (seen[:, :20] == 200).all() and (seen[:, 80:] == 0).all()


class Bright(torch.nn.Module):
    """A network that takes what is bright for the subject; grey is unknown to it."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.avg_pool2d(x.mean(1, keepdim=True), 2) * 20 * self.weight


def bright() -> Network:
    return Network(Bright(), Info(), Path())  # type: ignore[arg-type]


def test_the_teacher_believes_bodies_and_edges_not_what_is_grey(data: Path) -> None:
    photo = np.full((160, 200, 3), 20, np.uint8)
    photo[20:90, 30:100] = 235
    photo[100:150, 120:190] = 122
    alpha, believed = teacher.ask(photo, bright())
    assert alpha.shape == believed.shape == (160, 200)
    assert alpha[50, 60] > 250 and alpha[120, 20] < 5
    assert believed[50, 60] == believed[10, 150] == 255
    assert believed[125, 155] < 30
    assert believed[50, 30] > 100  # an edge


def test_nothing_found_is_not_taught() -> None:
    alpha, believed = teacher.ask(np.full((64, 64, 3), 10, np.uint8), bright())
    assert not alpha.any() and not believed.any()


@pytest.mark.slow
def test_the_teacher_is_the_best_recipe_at_the_photographs_own_size() -> None:
    """Islands and closer looks included; trust is low where the views' consensus is near one half."""
    from nuggy_nodes.core import pipeline
    from nuggy_nodes.core.recipes import recipe
    from nuggy_nodes.core.segment.predict import predict

    photo = picture(4, (300, 2100))
    photo[10:14, 10:14] = 255  # a speck, which the recipe takes away
    network, best = bright(), recipe("best")
    x = torch.from_numpy(photo).permute(2, 0, 1)[None].float() / 255
    alpha, believed = teacher.ask(photo, network)
    assert np.abs(alpha - 255 * pipeline.cutout(x, network, "best").alpha[0, 0].numpy()).max() <= 0.51
    with torch.inference_mode():
        coarse = predict(network, x, best.views, best.combine)
    sure = F.interpolate((coarse - 0.5).abs(), photo.shape[:2], mode="nearest")[0, 0].numpy()
    assert np.median(believed[sure > 0.45]) == 255 and np.median(believed[sure < 0.1]) < 255 * (teacher.EDGE + 0.05)


@pytest.mark.slow
def test_answers_are_kept_and_follow_photograph_and_teacher(data: Path, tmp_path: Path, monkeypatch) -> None:
    photos = sorted((data / "photos").iterdir())
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"other weights")
    made: list[object] = []

    def network(*what: object) -> Network:
        made.append(what[0])
        return bright()

    def teach(weights: Path | None = None) -> dict[Path, Path]:
        return teacher.teach(photos, weights, torch.device("cpu"), tmp_path / "answers")

    monkeypatch.setattr(teacher, "load", network)
    first = teach()
    assert first == teach() and made == [None]
    save(photos[0], picture(99, (70, 50)))
    assert teach()[photos[0]] != first[photos[0]] and len(made) == 2
    assert not set(teach(other).values()) & set(first.values()) and made[-1] == other
    alpha, believed = teacher.answer(first[photos[1]])
    assert alpha.shape == believed.shape == (70, 50)
    save(photos[1], picture(5, (1000, 2000)))  # larger than the student sees
    assert teacher.answer(teach()[photos[1]])[0].shape == (640, teacher.LONGEST)


def test_draws_of_every_source_and_in_processes(data: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(teacher, "load", lambda *_: bright())
    (data / "mix.toml").write_text(
        "\n".join(
            f"[[source]]\nweight = 1\n{text}"
            for text in (
                'layout = "drawn"\nbackgrounds = ["photos"]',
                'layout = "photos"\npath = "photos"\nstrands = 0.5\nbackgrounds = ["photos"]\ncomposite = 0.4',
                'layout = "backgrounds"\npath = "photos"',
                'layout = "am2k"\npath = "AM-2k"\nbackgrounds = ["BG-20k/train"]\ncomposite = 0.7',
                'layout = "folder"\npath = "own"\nbackgrounds = ["photos"]\ncomposite = 0.5',
            )
        )
        + "\n[run]\nsize = 64\n"
    )
    mix = read_mix(data / "mix.toml")
    draws = Draws(mix, teacher.teach(photographs(mix), None, torch.device("cpu"), tmp_path / "answers"))
    every = [draws[i] for i in range(60)]
    kinds = {s.kind for s in every}
    assert {"photo", "background", "pair", "composite"} <= kinds
    assert all(s.keep == (s.kind in ("photo", "background", "pair")) for s in every)
    assert all(not s.trust.any() for s in every if s.kind == "background")
    batches = list(draws.batches(3, 6, 2, workers=2))
    assert [len(b) for b in batches] == [2, 2, 2]
    for i, scene in enumerate(s for b in batches for s in b):
        there, here = render([scene], "cpu"), render([every[6 + i]], "cpu")
        assert there.kinds == here.kinds and torch.equal(there.keep, here.keep)
        for name in ("image", "alpha", "trust"):  # painted in another process, or planned there: to the last bit
            assert torch.equal(getattr(there, name), getattr(here, name)), (scene.kind, name)


def test_a_scene_without_strands_is_painted_ahead_and_loses_nothing(data: Path) -> None:
    (data / "mix.toml").write_text(
        '[[source]]\nweight = 1\nlayout = "backgrounds"\npath = "photos"\n'
        '[[source]]\nweight = 1\nlayout = "drawn"\nbackgrounds = ["photos"]\n[run]\nsize = 64\n'
    )
    draws = Draws(read_mix(data / "mix.toml"), {})
    for scene in (draws[i] for i in range(20)):
        made = ready(scene)
        assert isinstance(made, Ready) == (scene.kind == "background")
        one, two = render([scene], "cpu"), render([made], "cpu")
        assert torch.equal(one.image, two.image) and torch.equal(one.alpha, two.alpha)
        assert torch.equal(one.trust, two.trust) and one.kinds == two.kinds


def test_a_batch_on_a_smaller_square_is_as_pillow_reduces_it(rng: np.random.Generator) -> None:
    image = torch.from_numpy(rng.random((2, 3, 64, 64))).float()
    alpha, trust = (image[:, :1] > 0.5).float(), torch.from_numpy(rng.random((2, 1, 64, 64))).float()
    batch = Batch(image, alpha, trust, torch.tensor([True, False]), ["photo", "fur"])
    assert reduced(batch, 64) is batch
    for size in (32, 48):
        small = reduced(batch, size)
        assert small.keep is batch.keep and small.kinds == batch.kinds
        for got, exact in ((small.image, image), (small.alpha, alpha), (small.trust, trust)):
            for plane, whole in zip(got.flatten(0, 1), exact.flatten(0, 1), strict=True):
                wanted = Image.fromarray(whole.numpy(), "F").resize((size, size), Image.Resampling.BILINEAR)
                np.testing.assert_allclose(plane.numpy(), np.asarray(wanted), atol=1e-4)


def test_a_composite_shows_its_background_where_alpha_is_none(data: Path) -> None:
    from nuggy_nodes.training.draw import _paired
    from nuggy_nodes.training.layouts import pairs

    pair = pairs(Source("am2k", 1.0, data / "AM-2k"))[0][0]
    scene = _paired(np.random.default_rng(0), pair, np.full((90, 90, 3), 77, np.uint8), 64)
    scene.camera = type(scene.camera)()
    batch = render([scene], "cpu")
    clear = batch.alpha[0, 0] == 0
    assert clear.any() and (batch.alpha > 0.99).any()
    assert torch.allclose(batch.image[0, :, clear], torch.tensor(77 / 255), atol=1e-6)


def test_the_score_rewards_all_three_and_forbids_worse_scenes() -> None:
    old = {"dev_sad": 50.0, "scenes_sad": 8.0, "thin_recall": 0.4, "thin_precision": 0.8}
    assert score(old, old) == pytest.approx(1)
    assert score(old | {"dev_sad": 25.0}, old) == pytest.approx(1 - 0.5 / 3)
    assert score(old | {"dev_sad": 25.0, "scenes_sad": 9.0}, old) > 1
    assert score(old | {"thin_recall": 0.9}, old) < 1 < score(old | {"thin_recall": 0.9, "thin_precision": 0.1}, old)
    assert score({"dev_sad": 1.0}, {}) == 1


def test_measuring_is_the_benchmarks_own(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import metrics
    from nuggy_nodes.core.pipeline import cutout

    save(data / "dev/image/a.png", picture(1, (96, 128)))
    save(data / "dev/alpha/a.png", disc((96, 128)))
    found = Measure(Evaluate(1, dev=data / "dev", thin=False))(bright())
    x = torch.from_numpy(picture(1, (96, 128))).permute(2, 0, 1)[None].float() / 255
    alpha = cutout(x, bright(), "fast").alpha[0, 0].numpy()
    truth = disc((96, 128)).astype(np.float32) / 255
    assert found["dev_sad"] == pytest.approx(metrics.sad(alpha, truth), rel=1e-6)
    assert found["dev_grad"] == pytest.approx(metrics.gradient(alpha, truth), rel=1e-6)
    with pytest.raises(NuggyError, match="needs image/ and alpha/"):
        Measure(Evaluate(1, scenes=data / "photos", thin=False))


@pytest.mark.slow
def test_export_carries_lineage_data_and_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network, run = load(), tmp_path / "run"
    run.mkdir()
    tensors = {k: v * 1.01 for k, v in network.model.state_dict().items()}
    figures = {"dev_sad": 20.0, "scenes_sad": 7.0, "held_back": 0.5}
    facts = {"step": 30, "figures": figures, "original": {"dev_sad": 50.0, "scenes_sad": 8.0}}
    state.save_tensors(run / "best.safetensors", tensors, facts)
    sources = [dataclasses.asdict(Source("dis5k", 1.0, Path("DIS5K"), licence="research")) | {"path": "DIS5K"}]
    terms = {"seed": 0, "run": dataclasses.asdict(Run(size=512)), "evaluate": {"recipe": "fast", "first": 6}}
    terms["weights"] = checksum.sha256(network.path)
    (run / "run.json").write_text(
        json.dumps({"terms": terms, "sources": sources, "base": dataclasses.asdict(network.info)}, default=str)
    )
    out = tmp_path / "new.safetensors"
    assert main(["train", "export", str(run), "-o", str(out)]) == 0
    got, info = read(out)
    assert all((got[k] - v).abs().max() <= v.abs().max() / 126 for k, v in tensors.items())
    assert "fine-tuned by `nuggy train`, 30 steps at 512" in info.lineage and "isnet-general-use" in info.lineage
    assert "dis5k: DIS5K (research)" in info.licence and "Apache-2.0" in info.licence
    assert info.mean == network.info.mean
    card = (tmp_path / "new.md").read_text()
    assert "recipe fast, 6 pictures of each set" in card
    assert "| dev, mean SAD/1000 | 50.000 | 20.000 |" in card and "| dis5k: DIS5K | 100% | research |" in card
    assert 40e6 < out.stat().st_size < 48e6
    assert main(["train", "export", str(run), "-o", str(out)]) == 1
    assert "exists" in capsys.readouterr().err
    part = tmp_path / "part.safetensors"
    assert main(["train", "export", str(run), "-o", str(part), "--share", "0.25"]) == 0
    got, info = read(part)
    quarter = {k: v * 1.0025 for k, v in network.model.state_dict().items()}
    assert all((got[k] - v).abs().max() <= v.abs().max() / 126 for k, v in quarter.items())
    assert sum(float((got[k] - v).sum()) for k, v in quarter.items() if v.ndim == 1) == pytest.approx(0, abs=1e-3)
    assert info.lineage.endswith("0.25 of the change") and "has 0.25 of it" in (tmp_path / "part.md").read_text()
    for wrong, told in (
        (["--share", "1.5"], "from 0 to 1"),
        (["--share", "0.5", "--start", str(out)], "not the weights"),
    ):
        assert main(["train", "export", str(run), "-o", str(tmp_path / "no.safetensors"), *wrong]) == 1
        assert told in capsys.readouterr().err


def test_a_table_drops_what_is_done_again_and_is_plotted(tmp_path: Path) -> None:
    table = record.Table(tmp_path / "log.csv", ("step", "loss"), 0)
    for i in range(1, 60):
        table.add(step=i, loss=1 / i)
    record.Table(tmp_path / "log.csv", ("step", "loss", "more"), 50)
    assert len(record.rows(tmp_path / "log.csv")) == 50
    record.plot([tmp_path / "log.csv", tmp_path / "none.csv"], tmp_path / "out.png")
    drawn = cv2.imread(str(tmp_path / "out.png"))
    assert drawn.shape == (260, 900, 3)
    falls = np.argwhere((drawn == (180, 119, 31)).all(-1))
    left, right = falls[falls[:, 1] < 200, 0].min(), falls[falls[:, 1] > 700, 0].min()
    assert left < right  # a falling curve: high on the left, low on the right


def test_the_sheet_from_the_command_line(data: Path, tmp_path: Path) -> None:
    (data / "mix.toml").write_text('[[source]]\nlayout = "drawn"\nbackgrounds = ["photos"]\nweight = 1\n')
    out = tmp_path / "sheet.png"
    assert main(["train", "sheet", str(data / "mix.toml"), "-o", str(out), "--count", "3", "--size", "64"]) == 0
    assert cv2.imread(str(out)).shape == (320, 1920, 3)
