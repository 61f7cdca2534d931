"""A run's log: CSV files, and a picture of their curves."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

COLOURS = ((31, 119, 180), (214, 39, 40), (44, 160, 44), (148, 103, 189), (255, 127, 14), (90, 90, 90))


class Table:
    """A CSV file that grows by a row a step. Rows of steps that a resumed run does again are dropped."""

    def __init__(self, path: Path, columns: Sequence[str], step: int):
        self.path, self.columns = path, columns
        kept = [r for r in rows(path) if float(r["step"]) <= step]
        with open(path, "w", newline="", encoding="utf-8") as f:
            writer = csv.DictWriter(f, columns, restval="")
            writer.writeheader()
            writer.writerows({k: r.get(k) or "" for k in columns} for r in kept)

    def add(self, **values: float) -> None:
        with open(self.path, "a", newline="", encoding="utf-8") as f:
            csv.DictWriter(f, self.columns, restval="").writerow({k: f"{v:.6g}" for k, v in values.items()})


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table, by column; none where there is no file."""
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def plot(tables: Sequence[Path], out: Path, width: int = 900, height: int = 260) -> None:
    """Draw every column of the tables over `step` into a PNG, a panel a column, two side by side; empty columns are
    left out."""
    panels: list[tuple[str, np.ndarray]] = []
    for path in tables:
        read = rows(path)
        for name in read[0] if read else ():
            found = [(float(r["step"]), float(r[name])) for r in read if r.get(name) and name != "step"]
            found = [p for p in found if np.isfinite(p[1])]
            if found:
                panels.append((name, np.array(found)))
    high = max(len(panels) + 1, 2) // 2
    picture = Image.new("RGB", (width * (1 + (len(panels) > 1)), height * high), "white")
    draw = ImageDraw.Draw(picture)
    for i, (name, points) in enumerate(panels):
        x, y = i % 2 * width, i // 2 * height
        box = (x + 60, y + 24, x + width - 16, y + height - 24)
        _panel(draw, box, name, points, COLOURS[i % len(COLOURS)])
    picture.save(out, "png")


def _panel(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], name: str, points: np.ndarray,
           colour: tuple[int, int, int]) -> None:  # fmt: skip
    left, top, right, bottom = box
    x, y = points.T
    low, high = float(y.min()), float(y.max())
    span, length = high - low or abs(high) or 1.0, float(x.max() - x.min()) or 1.0
    draw.rectangle(box, outline=(200, 200, 200))
    draw.text((left, top - 16), f"{name}: last {y[-1]:.4g}", fill="black")
    for value in (low, high):
        draw.text((left - 56, bottom - (value - low) / span * (bottom - top) - 6), f"{value:.4g}", fill="black")
    draw.text((right - 60, bottom + 4), f"step {x.max():.0f}", fill="black")
    px = left + (x - x.min()) / length * (right - left)

    def line(values: np.ndarray, shade: tuple[int, int, int], wide: int) -> None:
        py = bottom - (values - low) / span * (bottom - top)
        draw.line([(float(a), float(b)) for a, b in zip(px, py, strict=True)], fill=shade, width=wide)

    if len(y) > 40:  # single steps pale, their running mean over them
        line(y, (200 + colour[0] // 5, 200 + colour[1] // 5, 200 + colour[2] // 5), 1)
        n = len(y) // 20
        padded = np.concatenate((np.full(n, y[:n].mean()), y, np.full(n, y[-n:].mean())))
        y = np.convolve(padded, np.ones(2 * n + 1) / (2 * n + 1), "valid")
    line(y, colour, 2)
