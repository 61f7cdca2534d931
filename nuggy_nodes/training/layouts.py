"""Where published data sets keep their photographs and alphas.

    dis5k         DIS-TR/im/NAME.jpg, DIS-TR/gt/NAME.png; DIS-VD, DIS-TE1..4 likewise
                  (github.com/xuebinqin/DIS, IS-Net/train_valid_inference_main.py)
    am2k          train/original/NAME.jpg, train/mask/NAME.png, train/fg/NAME.png where foregrounds were computed;
                  train/bg/NAME.png likewise, backgrounds to composite over;
                  validation/original, mask, trimap; BG-20k: train/NAME.jpg, backgrounds too
                  (github.com/JizhiziLi/GFM, core/README.md and core/config.py)
    thinobject5k  list/train.txt with the masks' file names, images/NAME.jpg, masks/NAME.png; val and test likewise
                  (github.com/liewjunhao/thin-object-selection, README.md and dataloaders/thinobject5k.py)
    folder        image/ and alpha/ with the same stems, any format

Only names are looked at here; check.py opens the files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..pictures import SUFFIXES
from .mix import MixError, Source


@dataclass(frozen=True)
class Pair:
    """A photograph and its alpha; colours of the subject and trimap where the data set has them."""

    image: Path
    alpha: Path
    foreground: Path | None = None
    trimap: Path | None = None


@dataclass(frozen=True)
class Problem:
    """What is wrong with one file."""

    path: Path
    what: str


Found = tuple[list[Pair], list[Problem]]


def pairs(source: Source) -> Found:
    """The pairs of a paired source, by name, and what is missing. Raises MixError where the layout is not there."""
    assert source.path is not None  # mix.py has checked
    if not source.path.is_dir():
        raise MixError(f"{source.path}: no such folder ({source.layout})")
    return READERS[source.layout](source.path, source.split)


def pictures(folder: Path) -> list[Path]:
    """Every picture file below a folder, by name. Raises MixError where there is none."""
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not found:
        raise MixError(f"{folder}: no picture in it" if folder.is_dir() else f"{folder}: no such folder")
    return found


def _dis5k(root: Path, split: str) -> Found:
    name = {"train": "DIS-TR", "val": "DIS-VD", "test": "DIS-TE1"}.get(split, split)
    base = root if (root / "im").is_dir() else root / name
    return _by_stem(_folder(base / "im"), _folder(base / "gt"))


def _am2k(root: Path, split: str) -> Found:
    base = root / {"val": "validation", "test": "validation"}.get(split, split)
    return _by_stem(_folder(base / "original"), _folder(base / "mask"), base / "fg", base / "trimap")


def _thinobject5k(root: Path, split: str) -> Found:
    images, masks, names = _folder(root / "images"), _folder(root / "masks"), root / "list" / f"{split}.txt"
    if not names.is_file():
        raise MixError(f"{names}: missing; ThinObject-5K lists the files of a split there")
    found: list[Pair] = []
    problems: list[Problem] = []
    for line in filter(None, map(str.strip, names.read_text(encoding="utf-8").splitlines())):
        pair = Pair(images / f"{line.rsplit('.', 1)[0]}.jpg", masks / line)
        lost = [p for p in (pair.image, pair.alpha) if not p.is_file()]
        problems += [Problem(p, f"listed in {names.name} and missing") for p in lost]
        if not lost:
            found.append(pair)
    return _some(found, names), problems


def _folder_pairs(root: Path, split: str) -> Found:
    return _by_stem(_folder(root / "image"), _folder(root / "alpha"))


READERS: dict[str, Callable[[Path, str], Found]] = {
    "dis5k": _dis5k,
    "am2k": _am2k,
    "thinobject5k": _thinobject5k,
    "folder": _folder_pairs,
}


def _by_stem(images: Path, alphas: Path, foregrounds: Path | None = None, trimaps: Path | None = None) -> Found:
    left, right = _stems(images), _stems(alphas)
    colours = _stems(foregrounds) if foregrounds and foregrounds.is_dir() else {}
    unsure = _stems(trimaps) if trimaps and trimaps.is_dir() else {}
    problems = [Problem(p, f"no alpha of this name in {alphas.name}/") for s, p in left.items() if s not in right]
    problems += [Problem(p, f"no photograph of this name in {images.name}/") for s, p in right.items() if s not in left]
    found = [Pair(p, right[s], colours.get(s), unsure.get(s)) for s, p in left.items() if s in right]
    return _some(found, images), problems


def _stems(folder: Path) -> dict[str, Path]:
    return {p.stem: p for p in sorted(folder.iterdir()) if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")}


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise MixError(f"{path}: no such folder; the layout asks for it (nuggy_nodes/training/layouts.py lists them)")
    return path


def _some(found: list[Pair], where: Path) -> list[Pair]:
    if not found:
        raise MixError(f"{where}: not one photograph with its alpha")
    return found
