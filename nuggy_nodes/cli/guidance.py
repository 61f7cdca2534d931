"""Options that say what the subject is, and the files behind them.

--guidance FILE.json holds points and boxes, in pixels from the photograph's upper left corner, all optional:

    {"keep": [[x, y], ...], "drop": [[x, y], ...], "boxes": [[x, y, width, height], ...], "uncertainty": pixels}

or, for several photographs, {"photographs": {"NAME.jpg": {...as above...}, ...}}, by file name or stem.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from ..core import Guidance

KEYS = {"keep": 2, "drop": 2, "boxes": 4}
LARGEST_JSON = 10_000_000  # bytes


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a subcommand the options."""
    group = parser.add_argument_group(
        "guidance", "what the subject is, where the network errs; of the photograph's size, or smaller with its "
        "proportions; in a folder, files of the photographs' names")  # fmt: skip
    group.add_argument("--mask", type=Path, metavar="FILE|DIR", help="rough masks from anywhere, white on the subject, "
                       "or cut-outs with transparency, in place of the network; edges from the photograph")  # fmt: skip
    group.add_argument("--uncertainty", type=float, metavar="PIXELS",
                       help="how far the mask's edge may be wrong (default: measured)")  # fmt: skip
    group.add_argument("--box", action="append", type=_box, metavar="X,Y,W,H",
                       help="the subject lies in this box, in pixels; may be given again")  # fmt: skip
    group.add_argument(
        "--keep", type=Path, metavar="FILE|DIR", help="strokes over what is subject: white is the stroke"
    )
    group.add_argument("--drop", type=Path, metavar="FILE|DIR", help="strokes over what is not")
    group.add_argument("--unsure", type=Path, metavar="FILE|DIR",
                       help="white where the mask is not to be believed: the edge is somewhere there")  # fmt: skip
    group.add_argument("--guidance", type=Path, metavar="FILE.json", help="points and boxes, for one or many "
                       'photographs: {"keep": [[x, y]], "drop": [[x, y]], "boxes": [[x, y, w, h]]}')  # fmt: skip


class Said:
    """What the options say. Raises InputError for what concerns all photographs."""

    def __init__(self, args: argparse.Namespace):
        self.paths: dict[str, Path] = {}
        for name in ("mask", "keep", "drop", "unsure"):
            path = getattr(args, name, None)
            if path is not None:
                if not path.exists():
                    raise InputError(f"--{name} {path}: no such file or folder")
                self.paths[name] = path
        self.boxes = list(getattr(args, "box", None) or [])
        self.uncertainty: float | None = getattr(args, "uncertainty", None)
        self.megapixels: float = args.max_megapixels
        if self.uncertainty is not None and not (self.uncertainty > 0 and math.isfinite(self.uncertainty)):
            raise InputError(f"--uncertainty is in pixels, above 0; got {self.uncertainty:g}")
        if self.uncertainty is not None and "mask" not in self.paths:
            raise InputError("--uncertainty is said of a mask; give --mask too")
        self.json = _json(args.guidance) if getattr(args, "guidance", None) else {}

    def __bool__(self) -> bool:
        return bool(self.paths or self.boxes or self.json)

    @property
    def needs_network(self) -> bool:
        return "mask" not in self.paths

    def of(self, source: Path, height: int, width: int) -> Guidance | None:
        """What is said of one photograph; None: nothing. Raises InputError, ImageError."""
        from ..core import Guidance
        from ..core.segment.guidance import marks

        if not self:
            return None
        planes = {name: self._plane(name, path, source) for name, path in self.paths.items()}
        told = self.json
        if "photographs" in told:
            told = told["photographs"].get(source.name, told["photographs"].get(source.stem, {}))
        for name in ("keep", "drop"):
            points = told.get(name, [])
            if points:
                plane, drawn = planes.get(name), marks(points, height, width)
                if plane is not None and plane.shape != drawn.shape:
                    raise InputError(f"--{name} beside points must have the photograph's size, {width}x{height}")
                planes[name] = drawn if plane is None else drawn.maximum(plane)
        boxes = tuple(self.boxes) + tuple(tuple(map(float, b)) for b in told.get("boxes", []))
        uncertainty = self.uncertainty if self.uncertainty is not None else told.get("uncertainty")
        said = Guidance(uncertainty=uncertainty, boxes=boxes, **planes)  # type: ignore[arg-type]
        return said if said else None

    def _plane(self, name: str, path: Path, source: Path) -> Tensor | None:
        import numpy as np
        import torch

        from ..pictures import read
        from .pixels import to_tensor

        file = _named(path, source) if path.is_dir() else path
        if file is None:
            if name == "mask":
                raise InputError(f"{source}: there is no mask of this name in {path}")
            return None
        picture = read(file, megapixels=self.megapixels)
        rgb = to_tensor(picture.rgb, torch.device("cpu")).float()
        grey = rgb[:, :1] if np.ptp(picture.rgb[:1, :1]) == 0 and bool((rgb == rgb[:, :1]).all()) else rgb.mean(1, True)
        if picture.alpha is None:
            return grey
        alpha = to_tensor(picture.alpha, torch.device("cpu")).float()
        if name == "mask":
            return alpha if bool((alpha < 1).any()) else grey
        return grey * alpha


def _named(folder: Path, source: Path) -> Path | None:
    """The file in a folder that has the photograph's name, or its stem (-cutout may follow) with another suffix."""
    from ..pictures.formats import SUFFIXES
    from .jobs import MARK

    same = folder / source.name
    if same.is_file() and same.resolve() != source.resolve():
        return same
    found = [f for f in sorted(folder.iterdir())
             if f.stem in (source.stem, source.stem + MARK) and f.suffix.lower() in SUFFIXES and f.is_file()
             and f.resolve() != source.resolve()]  # fmt: skip
    if len(found) > 1:
        raise InputError(f"{source}: {found[0].name} and {found[1].name} in {folder} both have its name; keep one")
    return found[0] if found else None


def _box(text: str) -> tuple[float, ...]:
    try:
        box = tuple(float(part) for part in text.split(","))
    except ValueError:
        box = ()
    if len(box) != 4 or not all(map(math.isfinite, box)):
        raise argparse.ArgumentTypeError(
            f"a box is X,Y,WIDTH,HEIGHT in pixels, for example 10,20,300,400; got {text!r}"
        )
    return box


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise InputError(f"--guidance {path}: over {LARGEST_JSON // 1_000_000} MB; points and boxes need less")
        told = json.loads(path.read_text("utf-8"))
    except OSError as e:
        raise InputError(f"--guidance {path}: cannot be read: {e.strerror}") from None
    except (ValueError, RecursionError) as e:
        raise InputError(f"--guidance {path}: not JSON ({e})") from None
    many = told.get("photographs") if isinstance(told, dict) and set(told) == {"photographs"} else None
    for part in many.values() if isinstance(many, dict) else [told]:
        _check(part, path)
    return dict(told)


def _check(told: Any, path: Path) -> None:
    number = (int, float)
    if not isinstance(told, dict) or set(told) - {*KEYS, "uncertainty"}:
        raise InputError(f"--guidance {path}: expected keep, drop, boxes, uncertainty, or photographs with those; got "
                         f"{', '.join(map(str, told)) if isinstance(told, dict) else type(told).__name__}")  # fmt: skip
    for key, length in KEYS.items():
        rows = told.get(key, [])
        good = isinstance(rows, list) and all(
            isinstance(r, list) and len(r) == length and all(isinstance(v, number) and math.isfinite(v) for v in r)
            for r in rows)  # fmt: skip
        if not good:
            raise InputError(f"--guidance {path}: {key} is a list of lists of {length} numbers")
    if not isinstance(told.get("uncertainty", 1), number):
        raise InputError(f"--guidance {path}: uncertainty is a number of pixels")
