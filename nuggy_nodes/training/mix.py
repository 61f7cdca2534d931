"""The mix: one small TOML file that says what is trained on, in which shares, and how.

    seed = 0
    [[source]]          # one table a source; `weight` is its share of the draws
    layout = "dis5k"    # one of LAYOUTS
    path = "DIS5K"
    weight = 0.5
    [run]               # fields of Run
    [evaluate]          # fields of Evaluate

Paths are relative to the folder given with `--data`, else to the TOML file's own.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from ..core.errors import NuggyError
from ..core.network.metadata import STRIDE
from ..core.recipes import RECIPES

PAIRED = ("dis5k", "am2k", "thinobject5k", "folder")  # photographs with alpha (layouts.py)
LAYOUTS = (*PAIRED, "photos", "backgrounds", "drawn")


class MixError(NuggyError):
    """A mix file that cannot be read, or that asks for something that is not there."""


@dataclass(frozen=True)
class Source:
    """One source of training scenes.

    layout: a published layout or image/ + alpha/ (layouts.py); `photos`, photographs whose alpha a teacher makes
    (teacher.py); `backgrounds`, photographs on which the network is to answer as before; `drawn`, thin structure made
    on the fly (motifs.py). path: their folder. weight: share of the draws. split: train, val or test, where a layout
    has them. backgrounds: folders of photographs without a subject, to composite over (paired) or draw on (drawn).
    composite: share of a source's draws put over such a background (`photos`: with the teacher's mask, which is exact
    there). strands: share of a `photos` source's draws that get hair, whiskers or wires drawn along their contours.
    clutter: share of its composites with something behind the subject that is none (clutter.py); as many have other
    subjects behind it, smaller or out of focus, and as many are small in the frame themselves (placing.py).
    licence: kept in the exported weights.
    """

    layout: str
    weight: float
    path: Path | None = None
    split: str = "train"
    backgrounds: tuple[Path, ...] = ()
    composite: float = 0.0
    strands: float = 0.0
    clutter: float = 0.0
    name: str = ""
    licence: str = "not stated"


@dataclass(frozen=True)
class Run:
    """How it is trained. size: side of the scenes, pixels. sizes: sides of the network's input, batch after batch in
    turn, up to `size` (none: `size`), as recipes show it views of several sizes. rate: peak learning rate of AdamW.
    encoder_rate: what the encoder's is of it (0 freezes it). warm_up: steps. thin: extra weight of thin parts and the
    gaps between. deep: weight of the side outputs but the first. keep: weight of the pull toward the original weights'
    answer. round_last: steps at the end that see weights as 8 bits will store them. workers: processes that prepare
    scenes (0: none)."""

    size: int = 1024
    sizes: tuple[int, ...] = ()
    batch: int = 8
    steps: int = 4000
    rate: float = 2e-5
    encoder_rate: float = 0.3
    warm_up: int = 100
    clip: float = 1.0
    decay: float = 0.998
    thin: float = 4.0
    deep: float = 1.0
    l1: float = 1.0
    gradient: float = 1.0
    keep: float = 2.0
    round_last: int = 0
    save: int = 250
    workers: int = 0


@dataclass(frozen=True)
class Evaluate:
    """What is measured, and how often. every: steps between measurements (0: never). dev, scenes: folders with image/
    and alpha/, for measuring only. thin: measure on drawings of benchmarks/thin.py. first: how many pictures of each
    (0: all). recipe: what is run on them."""

    every: int = 0
    dev: Path | None = None
    scenes: Path | None = None
    thin: bool = True
    first: int = 0
    recipe: str = "fast"


@dataclass(frozen=True)
class Mix:
    """Everything that a mix file says. weights: what is fine-tuned (None: the default weights); teacher: what masks
    the photographs (None: those too)."""

    sources: tuple[Source, ...]
    run: Run = field(default_factory=Run)
    evaluate: Evaluate = field(default_factory=Evaluate)
    seed: int = 0
    weights: Path | None = None
    teacher: Path | None = None


T = TypeVar("T")


def read_mix(path: Path, data: Path | None = None) -> Mix:
    """Read and check a mix file. data: what its paths are relative to (default: its folder). Raises MixError."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        try:
            import tomli as tomllib
        except ImportError:
            raise MixError(
                f"{path}: reading TOML on Python 3.10 needs tomli: pip install 'nuggy-nodes[train]'"
            ) from None
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise MixError(f"{path}: cannot be read ({e.strerror or e})") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise MixError(f"{path}: not TOML ({e})") from e
    root = data if data is not None else path.parent
    unknown = sorted(set(raw) - {"source", "run", "evaluate", "seed", "weights", "teacher"})
    if unknown:
        raise MixError(f"{path}: unknown {unknown[0]!r}; a mix has source, run, evaluate, seed, weights and teacher")
    tables = raw.get("source", [])
    if not isinstance(tables, list) or not tables:
        raise MixError(f"{path}: give at least one [[source]]")
    sources = tuple(_source(t, root, f"{path}: source {i}") for i, t in enumerate(tables, 1))
    if not sum(s.weight for s in sources) > 0:
        raise MixError(f"{path}: every weight is 0; give one source a share of the draws")
    run = _table(Run, raw.get("run", {}), root, f"{path}: [run]")
    if run.size % STRIDE or not 64 <= run.size <= 2048:
        raise MixError(f"{path}: [run] size is a multiple of {STRIDE} from 64 to 2048; got {run.size}")
    if any(s % STRIDE or not STRIDE <= s <= run.size for s in run.sizes):
        raise MixError(f"{path}: [run] sizes are multiples of {STRIDE} up to size; got {list(run.sizes)}")
    if min(run.batch, run.steps, run.save) < 1 or min(run.rate, run.clip) <= 0 or not 0 < run.decay < 1:
        raise MixError(f"{path}: [run] batch, steps, save, rate and clip are above 0, decay between 0 and 1")
    rest = ("encoder_rate", "warm_up", "thin", "deep", "l1", "gradient", "keep", "round_last", "workers")
    if min(getattr(run, k) for k in rest) < 0:
        raise MixError(f"{path}: [run] {', '.join(rest)} are 0 or more")
    evaluate = _table(Evaluate, raw.get("evaluate", {}), root, f"{path}: [evaluate]")
    if evaluate.every < 0 or evaluate.first < 0:
        raise MixError(f"{path}: [evaluate] every and first are 0 or more")
    if evaluate.recipe not in RECIPES:
        raise MixError(f"{path}: [evaluate] recipe {evaluate.recipe!r}; there are {', '.join(RECIPES)}")
    weights, taught = (_weights(raw, key, root, path) for key in ("weights", "teacher"))
    mix = Mix(sources, run, evaluate, _typed(raw.get("seed", 0), int, f"{path}: seed"), weights, taught or weights)
    _measured_is_not_trained(mix, path)
    return mix


def _weights(raw: dict[str, Any], key: str, root: Path, path: Path) -> Path | None:
    if key not in raw:
        return None
    found = root / _typed(raw[key], str, f"{path}: {key}")
    if not found.is_file():
        raise MixError(f"{path}: {key}: {found}: no such file")
    return found


def _source(raw: Any, root: Path, where: str) -> Source:
    source = _table(Source, raw, root, where)
    if source.layout not in LAYOUTS:
        raise MixError(f"{where}: layout {source.layout!r}; there are {', '.join(LAYOUTS)}")
    if source.weight < 0 or not all(0 <= x <= 1 for x in (source.composite, source.strands, source.clutter)):
        raise MixError(f"{where}: weight is 0 or more, composite, strands and clutter are from 0 to 1")
    if source.layout != "drawn" and source.path is None:
        raise MixError(f"{where}: {source.layout} needs a path")
    if (source.layout == "drawn" or source.composite) and not source.backgrounds:
        raise MixError(f"{where}: give the backgrounds that it is put over")
    return source


def _table(kind: type[T], raw: Any, root: Path, where: str) -> T:
    if not isinstance(raw, dict):
        raise MixError(f"{where}: must be a table")
    known = {f.name: str(f.type) for f in fields(kind)}  # type: ignore[arg-type]
    out: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in known:
            raise MixError(f"{where}: unknown {key!r}; there are {', '.join(known)}")
        hint = known[key]
        if hint.startswith("Path"):
            out[key] = root / _typed(value, str, f"{where}: {key}")
        elif hint.startswith("tuple[int"):
            out[key] = tuple(_typed(v, int, f"{where}: {key}") for v in _typed(value, list, f"{where}: {key}"))
        elif hint.startswith("tuple"):
            values = [value] if isinstance(value, str) else value
            out[key] = tuple(root / _typed(v, str, f"{where}: {key}") for v in _typed(values, list, f"{where}: {key}"))
        else:
            wanted = {"int": int, "float": float, "bool": bool, "str": str}[hint]
            out[key] = _typed(value, wanted, f"{where}: {key}")
    needed = [k for k in ("layout", "weight") if k in known and k not in out]
    if needed:
        raise MixError(f"{where}: lacks {needed[0]}")
    return kind(**out)


def _typed(value: Any, kind: type, where: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise MixError(f"{where}: expected {kind.__name__}, got {value!r}")
    return value


def _measured_is_not_trained(mix: Mix, path: Path) -> None:
    """What measures must never train: no folder of one may hold, or lie in, a folder of the other."""
    measured = [p.resolve() for p in (mix.evaluate.dev, mix.evaluate.scenes) if p is not None]
    for source in mix.sources:
        for folder in (source.path, *source.backgrounds):
            if folder is None:
                continue
            here = folder.resolve()
            for other in measured:
                if here == other or here in other.parents or other in here.parents:
                    raise MixError(f"{path}: {folder} is trained on and {other} measures; they must not overlap")
