"""From a run to a weights file: 8 bits, lineage and licences in its metadata, a model card beside it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from ..core import verify, weights
from ..core.errors import NuggyError
from ..core.info import Info
from . import state

FIGURES = {
    "dev_sad": "dev, mean SAD/1000",
    "dev_grad": "dev, mean gradient error",
    "dev_thin": "dev, recall of thin parts",
    "scenes_sad": "scenes, mean SAD/1000",
    "thin_recall": "drawn strands of 1 to 2 px, recall",
    "thin_precision": "drawn strands of 1 to 2 px, precision",
}


def export(run: Path, output: Path, name: str = "") -> Path:
    """Write a run's best average weights to `output` (.safetensors) and a card to OUTPUT.md. Returns the card's path.

    Raises NuggyError where the folder holds no run, WeightsError where its weights are broken.
    """
    if not (run / "best.safetensors").exists():
        raise NuggyError(
            f"{run}: nothing that was measured so far is better than the weights it started from"
            if (run / "state.safetensors").exists()
            else f"{run}: no run is in this folder, or it has not measured anything yet"
        )
    found, facts = state.load_tensors(run / "best.safetensors")
    try:
        story: dict[str, Any] = json.loads((run / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise NuggyError(f"{run / 'run.json'}: cannot be read ({e}); it lies beside best.safetensors") from e
    base = story["base"]
    kept = {k: v for k, v in base.items() if k in {f.name for f in dataclasses.fields(Info)}}
    kept |= {k: tuple(kept[k]) for k in ("mean", "std")}
    data = "; ".join(f"{_label(s)} ({s['licence']})" for s in story["sources"])
    info = dataclasses.replace(
        Info(**kept),
        lineage=f"{base['lineage']}; fine-tuned by `nuggy train`, {facts['step']} steps at "
        f"{story['terms']['run']['size']} pixels",
        licence=f"{base['licence']}; fine-tuned on: {data}",
    )
    weights.save(found, info, output)
    card = output.with_suffix(".md")
    card.write_text(_card(output, name or output.stem, info, facts, story), encoding="utf-8")
    return card


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
             f"| sha256 | `{verify.sha256(path)}` |", "", "## Data", "", "| source | share of the draws | licence |",
             "|---|---|---|"]  # fmt: skip
    lines += [f"| {_label(s)} | {s['weight'] / sum(shares):.0%} | {s['licence']} |" for s in story["sources"]]
    lines += ["", "## Figures", ""]
    told = [k for k in FIGURES if k in figures and k in original]
    if told:
        told_how = (
            "Measured in training, one recipe, before rounding to 8 bits. The best of several was kept, so expect less."
        )
        lines += [told_how, "", "| | original weights | these |", "|---|---|---|"]
        lines += [f"| {FIGURES[k]} | {original[k]:.3f} | {figures[k]:.3f} |" for k in told]
    else:
        lines += [f"None but the loss on scenes held back: {figures['held_back']:.4f}."]
    return "\n".join(lines) + "\n"
