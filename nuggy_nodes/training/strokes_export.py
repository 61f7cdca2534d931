"""The strokes' weights as they are shipped: float16 safetensors with facts of the run in the metadata."""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch

from ..core.segment.stroke_network import NAME
from .strokes_loop import StrokesTrainer

KEY = "nuggy-strokes"


def export(trainer: StrokesTrainer) -> Path:
    """Write the average weights of a run, and the components of the maps, to strokes.safetensors in its folder. Returns
    the path."""
    from safetensors.torch import save_file

    path = trainer.folder / NAME
    facts: dict[str, float] = {
        "step": trainer.step,
        "steps": trainer.steps,
        "seed": trainer.seed,
        "canvases": len(trainer.canvases),
    }
    facts |= {k: round(v, 4) for k, v in trainer.measured().items()}
    whole = path.with_name(f".{path.name}.{os.getpid()}")
    kept = {k: v.to(torch.float16).contiguous() for k, v in trainer.average.items()}
    save_file(kept, str(whole), {KEY: json.dumps(facts)})
    whole.replace(path)
    return path
