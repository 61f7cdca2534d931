"""What travels with weights, in their file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ..errors import WeightsError

LARGEST = 8192  # pixels a side that a network may say it was trained at
STRIDE = 32  # a side that is a multiple of this halves evenly down to the network's deepest stage


@dataclass(frozen=True)
class Info:
    """What travels with the weights. `mean` and `std` normalise RGB values 0..1; `size` is the trained input side."""

    architecture: str = "isnet"
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    size: int = 1024
    lineage: str = "unknown"
    licence: str = "unknown"

    def to_metadata(self) -> dict[str, str]:
        """One key, so that the file's bytes do not depend on an order of keys."""
        return {"nuggy": json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str] | None, path: Path) -> Info:
        """What a safetensors file tells of its weights.

        Args:
            metadata: the file's, or None.
            path: of the file, for the sentence.

        Returns:
            What it tells; the defaults where it tells nothing.

        Raises:
            WeightsError: it cannot be read, or holds a value out of range.
        """
        if not metadata or "nuggy" not in metadata:
            return cls()
        try:
            raw = json.loads(metadata["nuggy"])
            known = {f.name for f in fields(cls)}
            kept: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items() if k in known}
            info = cls(**kept)
            numbers = [float(v) for v in (*info.mean, *info.std)]
            sane = len(info.mean) == len(info.std) == 3 and all(s > 0 for s in info.std) and 256 <= info.size <= LARGEST
            sane = sane and all(map(math.isfinite, numbers)) and info.size == int(info.size)
            words = all(isinstance(w, str) for w in (info.architecture, info.lineage, info.licence))
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as e:
            raise WeightsError(f"{path}: its metadata cannot be read ({str(e)[:100] or type(e).__name__})") from e
        if not sane or not words:
            what = "a mean, std or size out of range" if words else "something else than text where it tells of itself"
            raise WeightsError(f"{path}: its metadata has {what}: {str(raw)[:200]}")
        return info
