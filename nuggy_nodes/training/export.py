"""From a run to a weights file: 8 bits, lineage and licences in its metadata, a model card beside it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..core.errors import NuggyError
from ..core.network import checksum, weights
from ..core.network.metadata import Info
from . import record, state

FIGURES = {
    "dev_sad": "dev, mean SAD/1000",
    "dev_grad": "dev, mean gradient error",
    "dev_thin": "dev, recall of thin parts",
    "scenes_sad": "scenes, mean SAD/1000",
    "thin_recall": "drawn strands of 1 to 2 px, recall",
    "thin_precision": "drawn strands of 1 to 2 px, precision",
}


def export(
    run: Path, output: Path, name: str = "", last: bool = False, share: float = 1.0, start: Path | None = None
) -> Path:
    """Write a run's best average weights to `output` (.safetensors) and a card to OUTPUT.md. Returns the card's path.

    last: those of the last save instead, whether they measured better than the original ones, worse, or not at all.
    share: how far to go from the weights that the run started from, in the file `start` (None: the default weights),
    to what it learnt, 0 to 1. A part of the way keeps what the run forgot and has most of what it learnt (Wortsman et
    al., "Robust fine-tuning of zero-shot models", CVPR 2022).
    Raises NuggyError where the folder holds no such weights, `start` others, or share is out of range; WeightsError
    where weights are broken.
    """
    if not 0 <= share <= 1:
        raise NuggyError(f"share is from 0 to 1; got {share:g}")
    found, facts = _last(run) if last else _best(run)
    try:
        story: dict[str, Any] = json.loads((run / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise NuggyError(f"{run / 'run.json'}: cannot be read ({e}); it lies beside best.safetensors") from e
    if share < 1:
        found = _towards(found, start or weights.default_path(), story["terms"].get("weights"), share)
    base = story["base"]
    kept = {k: v for k, v in base.items() if k in {f.name for f in dataclasses.fields(Info)}}
    kept |= {k: tuple(kept[k]) for k in ("mean", "std")}
    data = "; ".join(f"{_label(s)} ({s['licence']})" for s in story["sources"])
    info = dataclasses.replace(
        Info(**kept),
        lineage=f"{base['lineage']}; fine-tuned by `nuggy train`, {facts['step']} steps at "
        f"{story['terms']['run']['size']} pixels" + (f", {share:g} of the change" if share < 1 else ""),
        licence=f"{base['licence']}; fine-tuned on: {data}",
    )
    weights.save(found, info, output)
    card = output.with_suffix(".md")
    card.write_text(_card(output, name or output.stem, info, facts | {"share": share}, story), encoding="utf-8")
    return card


def _towards(found: dict[str, Tensor], start: Path, known: str | None, share: float) -> dict[str, Tensor]:
    """What lies a share of the way from the weights in `start`, whose sha256 is `known`, to those found."""
    if checksum.sha256(start) != known:
        raise NuggyError(f"{start}: not the weights that this run started from; give those as --start")
    before, _ = weights.read(start)
    return {k: torch.lerp(before[k], v, share) for k, v in found.items()}


def _best(run: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    if (run / "state.safetensors").exists() and not (run / "best.safetensors").exists():
        raise NuggyError(
            f"{run}: nothing that was measured so far is better than the weights it started from; "
            "--last exports what there is"
        )
    return state.load_tensors(run / "best.safetensors")


def _last(run: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    tensors, facts = state.load_tensors(run / "state.safetensors")
    average = {k.removeprefix("ema."): v for k, v in tensors.items() if k.startswith("ema.")}
    row = next((r for r in record.rows(run / "measured.csv") if float(r["step"]) == facts["step"]), {})
    figures = {k: float(v) for k, v in row.items() if v}
    return average, {"step": facts["step"], "figures": figures, "original": facts["first"], "last": True}


def _label(source: dict[str, Any]) -> str:
    return source["name"] or (
        source["layout"] if source["layout"] == "drawn" else f"{source['layout']}: {Path(source['path']).name}"
    )


def _card(path: Path, name: str, info: Info, facts: dict[str, Any], story: dict[str, Any]) -> str:
    run, figures, original = story["terms"]["run"], facts["figures"], facts.get("original") or {}
    shares = [s["weight"] for s in story["sources"]]
    lines = [f"# {name}", "", "IS-Net, fine-tuned: the subject of a photograph against everything else.", "", "| | |",
             "|---|---|", "| Architecture | IS-Net, 44.0 M parameters; batch norms folded into the convolutions before "
             "fine-tuning |", f"| Input | RGB 0..1 less {info.mean[0]:g}, {info.size}x{info.size} |",
             f"| Lineage | {info.lineage} |", f"| Licence | {info.licence} |",
             f"| Training | batch {run['batch']}, peak rate {run['rate']:g}, encoder {run['encoder_rate']:g} of it, "
             f"moving average {run['decay']:g}, seed {story['terms']['seed']}; weights of step {facts['step']} of "
             f"{run['steps']} |",
             f"| Stored as | 8-bit integers, small layers in float16 ({path.stat().st_size / 1e6:.1f} MB) |",
             f"| sha256 | `{checksum.sha256(path)}` |", "", "## Data", "", "| source | share of the draws | licence |",
             "|---|---|---|"]  # fmt: skip
    lines += [f"| {_label(s)} | {s['weight'] / sum(shares):.0%} | {s['licence']} |" for s in story["sources"]]
    lines += ["", "## Figures", ""]
    told = [k for k in FIGURES if k in figures and k in original]
    if told:
        measured = story["terms"]["evaluate"]
        which = f"{measured['first']} pictures" if measured["first"] else "every picture"
        told_how = f"Measured in training, before rounding to 8 bits: recipe {measured['recipe']}, {which} of each set."
        if facts.get("share", 1) < 1:
            told_how += f" They are of the whole change; the file has {facts['share']:g} of it."
        if not facts.get("last"):
            told_how += " The best of several was kept, so expect less."
        lines += [told_how, "", "| | original weights | these |", "|---|---|---|"]
        lines += [f"| {FIGURES[k]} | {original[k]:.3f} | {figures[k]:.3f} |" for k in told]
    elif "held_back" in figures:
        lines += [f"None but the loss on scenes held back: {figures['held_back']:.4f}."]
    else:
        lines += ["None: these weights were not measured."]
    return "\n".join(lines) + "\n"
