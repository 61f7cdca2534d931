"""Masks that a person should see: what is measured of every mask, and a sheet of the most doubtful."""

from __future__ import annotations

import heapq
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from ..cli.work import Worker
from ..core import Cutout
from ..core.errors import NuggyError
from ..pictures import read
from .manifest import Manifest
from .stores import SCHEME, Store, get, put_own, store

MOST = 50
SIDE, LINES, ACROSS = 220, 34, 5  # pixels of a picture of the sheet, of its caption; pairs in a row
BEHIND = (214, 72, 160)  # what no photograph is made of


class Watching(Worker):
    """A Worker that looks at the last mask. seen: undecided and cut_off, as the manifest has them."""

    seen: dict[str, float]

    def _planes(self, result: Cutout, icc: bytes | None) -> list[Tensor]:
        self.seen = measured(result.alpha)
        return super()._planes(result, icc)


def measured(alpha: Tensor) -> dict[str, float]:
    """undecided: 4a(1-a) of a mask [1,1,H,W], summed, to the subject's own sum (to a thousandth of the frame at the
    least), at most 1. cut_off: the share of the frame's border where the mask is over a half."""
    a = alpha[0, 0].float()
    unsure = float((4 * a * (1 - a)).sum()) / max(float(a.sum()), a.numel() / 1000)
    border = [a[0], a[-1], a[1:-1, 0], a[1:-1, -1]]
    cut = sum(float((x > 0.5).sum()) for x in border) / sum(x.numel() for x in border)
    return {"undecided": min(unsure, 1.0), "cut_off": cut}


def doubt(row: dict[str, Any]) -> float:
    """How much a row of the manifest asks for a look; empty ones first."""
    return 2.0 if row["empty"] else float(row["undecided"] or 0) + 0.5 * float(row["cut_off"] or 0)


def most_doubtful(manifest: Manifest, most: int = MOST) -> list[dict[str, Any]]:
    """Rows with results, the most doubtful first. Raises InputError."""
    found: list[tuple[float, str, dict[str, Any]]] = []
    columns = ["address", "result", "empty", "undecided", "cut_off", "error"]
    for rows in manifest.rows(columns):
        good = (r for r in rows.to_pylist() if r["error"] is None)
        found = heapq.nlargest(most, [*found, *((doubt(r), r["address"], r) for r in good)], key=lambda x: x[:2])
    return [row for _, _, row in found]


def sheet(rows: list[dict[str, Any]], results: Store, query: str = "") -> bytes:
    """A JPEG of pairs, photograph and result, with what is doubtful of each. query: said after the photographs'
    addresses to reach them."""
    down = -(-len(rows) // ACROSS)
    page = Image.new("RGB", (ACROSS * (2 * SIDE + 12), max(down, 1) * (SIDE + LINES + 8)), "white")
    draw = ImageDraw.Draw(page)
    for n, row in enumerate(rows):
        x, y = (n % ACROSS) * (2 * SIDE + 12), n // ACROSS * (SIDE + LINES + 8)
        for i, place in enumerate((_photograph(row["address"], query), results.below(row["result"]))):
            page.paste(_small(place), (x + i * SIDE, y))
        why = "empty" if row["empty"] else f"undecided {row['undecided']:.2f}, cut off {row['cut_off']:.2f}"
        name = row["address"].rpartition("/")[2].encode("ascii", "replace").decode()
        draw.text((x + 2, y + SIDE + 2), f"{n + 1}. {name[-60:]}\n{why}", fill="black")
    out = io.BytesIO()
    page.save(out, "JPEG", quality=88)
    return out.getvalue()


def draw(manifest: Manifest, results: Store, query: str = "") -> Store | None:
    """The sheet beside the manifest; None where there is nothing to be seen. Raises NuggyError."""
    rows = most_doubtful(manifest)
    if not rows:
        return None
    target = manifest.place.below("doubtful.jpg")
    put_own(target, sheet(rows, results, query))
    return target


def _photograph(address: str, query: str) -> Store | None:
    try:
        return store(f"{address}?{query}" if query and SCHEME.match(address) else address)
    except NuggyError:
        return None


def _small(place: Store | None) -> Image.Image:
    """A picture in a square; grey where it cannot be had (of photographs in a column, too)."""
    square = Image.new("RGB", (SIDE, SIDE), (120, 120, 120))
    if place is None:
        return square
    try:
        picture = read(Path(place.path), data=get(place))
    except NuggyError:
        return square
    step = max(max(picture.rgb.shape[:2]) // (2 * SIDE), 1)
    rgb = picture.rgb[::step, ::step]
    rgb = rgb if rgb.dtype == np.uint8 else (rgb >> 8).astype(np.uint8)
    if picture.alpha is not None:
        share = picture.alpha[::step, ::step, None] / np.iinfo(picture.alpha.dtype).max
        rgb = (rgb * share + np.array(BEHIND) * (1 - share)).round().astype(np.uint8)
    image = Image.fromarray(np.ascontiguousarray(rgb))
    image.thumbnail((SIDE - 4, SIDE - 4))
    square.paste(image, ((SIDE - image.width) // 2, (SIDE - image.height) // 2))
    return square
