"""A run's state on disk: safetensors and JSON, whole or not at all, from which the run goes on bit for bit.

There is no random state in it: draw i depends on the seed and i alone (draw.py), so the step number says it all.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from torch import Tensor

from ..core.errors import NuggyError

KEY = "nuggy-training"


def save_tensors(path: Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
    """Write tensors and facts; an old file of that name stays until the new one is whole."""
    from safetensors.torch import save_file

    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        whole = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
        save_file(whole, str(temporary), {KEY: json.dumps(facts)})
        os.replace(temporary, path)
    except OSError as e:
        raise NuggyError(f"{path}: cannot be written ({e.strerror or e})") from e
    finally:
        temporary.unlink(missing_ok=True)


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What two nested tables of settings do not share, a sentence each."""
    out = []
    for key in (*before, *(k for k in now if k not in before)):
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            out += [f"{key} {line}" for line in differences(old, new)]
        elif old != new:
            out.append(f"{key} was {old}, now {new}")
    return out


def resumed(path: Path, terms: dict[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The tensors and facts from which a run goes on; None where there are none yet. Raises NuggyError where they are
    of a run on other terms."""
    if not path.exists():
        return None
    tensors, facts = load_tensors(path)
    changed = differences(facts["terms"], terms)
    if changed:
        raise NuggyError(
            f"{path.parent}: holds another run: {'; '.join(changed[:3])}. "
            "Give the mix and data it was started with, or another folder"
        )
    return tensors, facts


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What save_tensors wrote. Raises NuggyError for anything else."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as f:
            facts = json.loads((f.metadata() or {})[KEY])
            return {k: f.get_tensor(k) for k in f.keys()}, facts  # noqa: SIM118 (it is no dict)
    except (SafetensorError, OSError, KeyError, ValueError) as e:
        raise NuggyError(f"{path}: not the state of a training run ({e})") from e
