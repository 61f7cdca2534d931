"""A refinement's weights as they are shipped: safetensors with facts in its metadata, and what they were trained on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch

from .refiner_loop import RefinerTrainer

KEY = "nuggy-refiner"


def export(trainer: RefinerTrainer) -> Path:
    """Write the average weights of a run to refiner.safetensors in its folder, in float32. Returns the path."""
    from safetensors.torch import save_file

    path = trainer.folder / "refiner.safetensors"
    after, before = trainer.measure()
    facts = {"step": trainer.step, "steps": trainer.steps, "seed": trainer.seed, "windows": len(trainer.windows.image),
             "held back, mean difference": round(after, 5), "held back, before": round(before, 5)}  # fmt: skip
    whole = path.with_name(f".{path.name}.{os.getpid()}")
    save_file(
        {k: v.to(torch.float32).contiguous() for k, v in trainer.average.items()}, str(whole), {KEY: json.dumps(facts)}
    )
    whole.replace(path)
    return path
